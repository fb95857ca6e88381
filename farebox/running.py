"""The record of a running product: what `farebox up` writes and every other command reads."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from farebox.errors import AlreadyRunning
from farebox.home import Home, write_private
from farebox.processes import ProcessId, end_all, end_postgres


@dataclass(frozen=True, slots=True)
class RunningProduct:
    """URLs and process ids of a running product."""

    pid: int
    base_url: str
    dashboard_url: str
    database_url: str
    processes: tuple[ProcessId, ...] = ()
    """Everything that was started, but PostgreSQL."""
    postmaster: ProcessId | None = None
    """Of the embedded PostgreSQL, where that is used."""
    console_url: str | None = None
    """Of the web console, where one was started."""

    def write(self, home: Home) -> None:
        """Record it for the other commands."""
        write_private(home.product, json.dumps(asdict(self), indent=2))

    @classmethod
    def read(cls, home: Home) -> RunningProduct | None:
        """What was recorded last; it may have ended since."""
        try:
            record = json.loads(home.product.read_text())
        except FileNotFoundError:
            return None
        processes = tuple(ProcessId(**each) for each in record.pop("processes"))
        postmaster = record.pop("postmaster")
        return cls(
            **record,
            processes=processes,
            postmaster=ProcessId(**postmaster) if postmaster else None,
        )


@contextmanager
def sole_owner(home: Home) -> Iterator[None]:
    """Hold the folder for one `farebox up`; raises AlreadyRunning, naming the port in use."""
    with home.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = RunningProduct.read(home)
            where = f" at {running.base_url} (process {running.pid})" if running else ""
            raise AlreadyRunning(
                f"Farebox already runs from {home.root}{where}, and holds its ports. "
                "Use it, or end it with `make down`."
            ) from None
        yield


def is_running(home: Home) -> bool:
    """Whether a `farebox up` holds this folder."""
    if not home.lock.exists():
        return False
    try:
        with sole_owner(home):
            return False
    except AlreadyRunning:
        return True


def end_leftovers(home: Home) -> int:
    """End what a killed `farebox up` left behind; returns how many processes that were."""
    record = RunningProduct.read(home)
    if record is None:
        return 0
    ended = end_all(record.processes)
    if record.postmaster is not None:
        ended += end_postgres(record.postmaster)
    home.product.unlink(missing_ok=True)
    return ended
