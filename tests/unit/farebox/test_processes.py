"""What was started is ended, and nothing else: real processes, by id."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from farebox import processes
from farebox.processes import ProcessId, end_all, end_postgres

ROOT = Path(__file__).parents[3]
SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
POLITE = (
    "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(7)); "
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
)
NO_SITE = [sys.executable, "-S", "-E", "-c"]

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python child and wait until it is up; what is left is killed by its id."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one(code: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([*NO_SITE, code], stdout=subprocess.PIPE)
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        return child

    yield start_one
    for child in started:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_TERMINATE_SECONDS", 0.3)


def identify(child: subprocess.Popen[bytes]) -> ProcessId:
    return ProcessId.of(psutil.Process(child.pid))


def test_a_child_is_ended_by_the_signal_that_asks(start: Start) -> None:
    child = start(SLEEPER)
    assert end_all([identify(child)]) == 1
    assert child.wait(5) in (-15, 0)


def test_a_child_that_ignores_the_signal_is_killed(start: Start) -> None:
    child = start(STUBBORN)
    identity = identify(child)
    assert end_all([identity]) == 1
    assert identity.find() is None


def test_all_are_ended_together(start: Start) -> None:
    children = [start(STUBBORN), start(SLEEPER), start(SLEEPER)]
    identities = [identify(child) for child in children]
    assert end_all(identities) == 3
    assert [identity.find() for identity in identities] == [None] * 3


def test_a_process_that_took_over_the_id_is_left_alone(start: Start) -> None:
    child = start(SLEEPER)
    earlier = replace(identify(child), create_time=identify(child).create_time - 60)
    assert earlier.find() is None
    assert end_all([earlier]) == 0
    assert not end_postgres(earlier)
    assert child.poll() is None


def test_a_process_that_has_ended_is_not_found(start: Start) -> None:
    child = start(SLEEPER)
    identity = identify(child)
    child.kill()
    child.wait()
    assert identity.find() is None
    assert end_all([identity]) == 0


def test_a_zombie_counts_as_ended(start: Start) -> None:
    child = start(SLEEPER)
    identity = identify(child)
    psutil.Process(child.pid).kill()
    with suppress(psutil.TimeoutExpired):
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            pass
    assert identity.find() is None


def test_postgres_is_stopped_by_its_fast_shutdown(start: Start) -> None:
    child = start(POLITE)
    process = psutil.Process(child.pid)
    assert end_postgres(ProcessId.of(process))
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


FAMILY = """
import json, subprocess, sys, time
import psutil
from farebox import processes
from farebox.processes import adopt_orphans, descendants, end_descendants

python = [sys.executable, "-S", "-E", "-c"]
processes._TERMINATE_SECONDS = 0.3


def start(code, *arguments):
    child = subprocess.Popen([*python, code, *arguments], stdout=subprocess.PIPE, text=True)
    return child, int(child.stdout.readline())


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
PARENT = '''
import subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-S", "-E", "-c", sys.argv[1]], start_new_session=True
)
time.sleep(float(sys.argv[2]))
'''
told = {}
%s
print(json.dumps(told))
"""


def run_family(story: str) -> dict[str, object]:
    """Run `story` in a process of its own, whose descendants are its alone."""
    done = subprocess.run(
        [sys.executable, "-c", FAMILY % story],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a subreaper")
def test_an_orphan_comes_back_to_who_adopts_and_is_ended() -> None:
    told = run_family("""
adopt_orphans()
parent, orphan = start(PARENT, SLEEPER, "0")
parent.wait()
told["adopted"] = [each.pid for each in descendants()] == [orphan]
end_descendants()
told["alive"] = alive(orphan)
""")
    assert told == {"adopted": True, "alive": False}


def test_everything_below_is_ended_but_the_spared_and_what_is_below_it() -> None:
    told = run_family("""
adopt_orphans()
spared, spared_child = start(PARENT, SLEEPER, "60")
other, other_child = start(PARENT, SLEEPER, "60")
end_descendants(spared.pid)
told["spared"] = [alive(spared.pid), alive(spared_child)]
told["others"] = [alive(other.pid), alive(other_child)]
end_descendants()
told["in the end"] = [alive(spared.pid), alive(spared_child)]
""")
    assert told == {
        "spared": [True, True],
        "others": [False, False],
        "in the end": [False, False],
    }
