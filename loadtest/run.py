"""One run of Locust, in processes of its own: what it patches must not meet other libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadtest.measured import Figures, Moment, read_figures, read_moments
from loadtest.plan import PLAN_VARIABLE, LoadPlan
from loadtest.processes import ending
from loadtest.shapes import SHAPES
from loadtest.tally import Tally, read_tally

HERE = Path(__file__).parent
RESULTS = HERE / "results"
LOCUST = (sys.executable, "-m", "locust", "--locustfile", str(HERE / "locustfile.py"))
DRAIN_SECONDS = 20
"""Users finish the request they are at before they stop; none waits longer than 15 s."""
START_SECONDS = 60
WORKERS_WAIT_SECONDS = 120
"""For workers on other machines, which people start by hand."""


class RunFailed(Exception):
    """Locust did not come to its end."""


@dataclass(frozen=True, slots=True)
class Files:
    """What one run reads and writes, all under one prefix."""

    prefix: Path

    @classmethod
    def of_now(cls, shape: str) -> Files:
        """A fresh prefix in the folder of results."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        return cls(RESULTS / f"load-{shape}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")

    def named(self, ending: str) -> Path:
        """The file of this run with such an ending."""
        return self.prefix.with_name(self.prefix.name + ending)


@dataclass(frozen=True, slots=True)
class Spread:
    """Which processes run the users: this one's own, or workers that join from elsewhere."""

    processes: int = 1
    expected_workers: int = 0
    """Of other machines; 0 where none are waited for."""
    bind_host: str = "127.0.0.1"
    port: int = 5557

    def options(self) -> list[str]:
        """For Locust's command line."""
        if self.expected_workers:
            return [
                *("--master", "--expect-workers", str(self.expected_workers)),
                *("--expect-workers-max-wait", str(WORKERS_WAIT_SECONDS)),
                *("--master-bind-host", self.bind_host, "--master-bind-port", str(self.port)),
            ]
        if self.processes > 1:
            # Locust has its workers join by this port, on all interfaces unless told otherwise.
            bind = ("--master-bind-host", "127.0.0.1", "--master-bind-port", str(self.port))
            return ["--processes", str(self.processes), *bind, "--master-port", str(self.port)]
        return []


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    figures: dict[str, Figures]
    moments: list[Moment]
    tally: Tally


@contextmanager
def running_locust(plan: LoadPlan, files: Files, spread: Spread) -> Iterator[subprocess.Popen[str]]:
    """Locust at work; it ends by itself, or with this block."""
    plan_file = files.named(".plan.json")
    plan.write(plan_file)
    command = locust_command(plan, files, spread)
    environment = {**os.environ, PLAN_VARIABLE: str(plan_file)}
    log = files.named(".log")
    try:
        with (
            log.open("w") as output,
            subprocess.Popen(
                command, env=environment, text=True, stdout=output, stderr=subprocess.STDOUT
            ) as process,
            ending(process),
        ):
            yield process
    finally:
        plan_file.unlink()


def run_locust(plan: LoadPlan, files: Files, spread: Spread) -> None:
    """The whole run, for a bounded time. Raises RunFailed."""
    with running_locust(plan, files, spread) as process:
        try:
            process.wait(seconds_max(plan, spread))
        except subprocess.TimeoutExpired:
            raise RunFailed(f"Locust did not end in time; see {files.named('.log')}") from None
    check_ended(process, files)


def seconds_max(plan: LoadPlan, spread: Spread) -> float:
    """How long a run may take, start and end included."""
    waiting = WORKERS_WAIT_SECONDS if spread.expected_workers else 0
    return START_SECONDS + waiting + plan.seconds + 2 * DRAIN_SECONDS


def check_ended(process: subprocess.Popen[str], files: Files) -> None:
    """Raises RunFailed where Locust failed by itself; failed requests are no such failure."""
    if process.returncode:
        said = files.named(".log").read_text(errors="replace").strip()[-1500:]
        raise RunFailed(f"Locust ended with {process.returncode}:\n{said}")


def locust_command(plan: LoadPlan, files: Files, spread: Spread) -> list[str]:
    """Headless; the shape says how long and how many."""
    return [
        *LOCUST,
        *("--headless", "--only-summary", "--host", plan.base_url),
        *("--stop-timeout", str(DRAIN_SECONDS), "--exit-code-on-error", "0"),
        # Only with the full history are its percentiles those of the last seconds.
        *("--csv", str(files.prefix), "--csv-full-history", "--html", f"{files.prefix}.html"),
        *spread.options(),
        *SHAPES[plan.shape].users,
    ]


def worker_command(master_host: str, port: int, processes: int) -> list[str]:
    """A worker for a master elsewhere, which sends it keys and users."""
    several = ["--processes", str(processes)] if processes > 1 else []
    return [*LOCUST, "--worker", "--master-host", master_host, "--master-port", str(port), *several]


def read_outcome(files: Files, shape: str) -> Outcome:
    """What Locust and its users wrote down. Raises RunFailed where no user ever ran."""
    moments = read_moments(files.named("_stats_history.csv"), SHAPES[shape].per_user_second)
    if not moments:
        raise RunFailed(f"no user ever ran; see {files.named('.log')}")
    return Outcome(
        read_figures(files.named("_stats.csv")), moments, read_tally(files.named(".tally.json"))
    )
