"""One owner a folder, and a record by which anybody can end what it left behind."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from farebox.errors import AlreadyRunning
from farebox.home import Home
from farebox.processes import ProcessId
from farebox.running import RunningProduct, end_leftovers, is_running, sole_owner

SLEEPER = [sys.executable, "-S", "-E", "-c", "import time; time.sleep(60)"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def make_record(*processes: ProcessId, postmaster: ProcessId | None = None) -> RunningProduct:
    return RunningProduct(
        pid=4711,
        base_url="http://127.0.0.1:8123",
        dashboard_url="http://127.0.0.1:8265",
        database_url="postgresql://farebox@/farebox?host=/x",
        processes=processes,
        postmaster=postmaster,
    )


def test_a_second_owner_is_told_where_the_first_one_is(home: Home) -> None:
    make_record().write(home)
    with sole_owner(home), pytest.raises(AlreadyRunning) as caught, sole_owner(home):
        pass
    assert "http://127.0.0.1:8123" in str(caught.value)
    assert "process 4711" in str(caught.value)


def test_a_second_owner_is_refused_before_the_first_one_wrote_its_record(home: Home) -> None:
    with sole_owner(home), pytest.raises(AlreadyRunning, match="already runs"), sole_owner(home):
        pass


def test_a_folder_is_free_again_after_its_owner(home: Home) -> None:
    with sole_owner(home):
        assert is_running(home)
    assert not is_running(home)
    with sole_owner(home):
        pass


def test_a_folder_never_owned_is_not_running_and_not_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    assert not is_running(home)
    assert not home.root.exists()


def test_a_killed_owner_holds_nothing(home: Home) -> None:
    code = (
        "import sys, time; from pathlib import Path; from farebox.home import Home; "
        "from farebox.running import sole_owner; owned = sole_owner(Home(Path(sys.argv[1]))); "
        "owned.__enter__(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home.root)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        assert is_running(home)
        owner.kill()
        owner.wait()
        assert not is_running(home)


@pytest.mark.parametrize(
    "record",
    [
        make_record(),
        make_record(ProcessId(1, 1.25), ProcessId(2, 1790000000.37)),
        make_record(ProcessId(1, 1.0), postmaster=ProcessId(9, 1790000000.01)),
    ],
)
def test_a_record_is_read_as_it_was_written(home: Home, record: RunningProduct) -> None:
    record.write(home)
    assert RunningProduct.read(home) == record


def test_a_record_is_private(home: Home) -> None:
    """It holds the database's URL."""
    make_record().write(home)
    assert stat.S_IMODE(home.product.stat().st_mode) == 0o600


def test_no_record_is_none(home: Home) -> None:
    assert RunningProduct.read(home) is None
    assert end_leftovers(home) == 0


def test_leftovers_are_ended_and_forgotten(home: Home) -> None:
    # PostgreSQL heeds SIGINT, and so must what stands for it: started from a shell's background, a
    # test run inherits SIGINT ignored.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with (
        subprocess.Popen(SLEEPER) as worker,
        subprocess.Popen(SLEEPER, preexec_fn=heed) as postmaster,  # noqa: PLW1509 - one thread
    ):
        identities = [ProcessId.of(psutil.Process(each.pid)) for each in (worker, postmaster)]
        make_record(identities[0], postmaster=identities[1]).write(home)
        assert end_leftovers(home) == 2
        assert [each.find() for each in identities] == [None, None]
    assert not home.product.exists()
    assert end_leftovers(home) == 0


def test_leftovers_that_have_ended_by_themselves_are_only_forgotten(home: Home) -> None:
    make_record(ProcessId(2**22 + 1, 1.0), postmaster=ProcessId(2**22 + 2, 1.0)).write(home)
    assert end_leftovers(home) == 0
    assert not home.product.exists()
