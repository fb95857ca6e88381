"""Ownership of processes: everything that was started is ended, by process id alone.

Ray's workers outlive their raylet for a moment, and HAProxy outlives Ray altogether. On Linux the
starting process declares itself the reaper of all its descendants, so an orphan comes back to it
instead of getting lost; elsewhere the ids recorded while all was well are what is ended.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_TERMINATE_SECONDS = 5.0
_KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for good: ids are used again, ids with their start time are not."""

    pid: int
    create_time: float

    @classmethod
    def of(cls, process: psutil.Process) -> ProcessId:
        return cls(process.pid, process.create_time())

    def find(self) -> psutil.Process | None:
        """The process, or None when it has ended."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < 0.01  # noqa: PLR2004 - a tick
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def adopt_orphans() -> None:
    """From now on, descendants whose parent ends become children of this process (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(spared_pid: int | None = None) -> list[ProcessId]:
    """Every living process below this one, but `spared_pid` and what is below that."""
    spared: set[int] = set()
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.pid == spared_pid or process.ppid() in spared:
                spared.add(process.pid)
            elif process.status() != psutil.STATUS_ZOMBIE:
                found.append(ProcessId.of(process))
        except psutil.NoSuchProcess:
            continue
    return found


def end_all(ids: Iterable[ProcessId]) -> int:
    """End these processes and wait for it: SIGTERM, after 5 s SIGKILL. Returns how many lived."""
    living = [process for process in (identity.find() for identity in ids) if process]
    for process in living:
        _signal(process.terminate)
    _, stubborn = psutil.wait_procs(living, _TERMINATE_SECONDS)
    for process in stubborn:
        _signal(process.kill)
    psutil.wait_procs(stubborn, _KILL_SECONDS)
    return len(living)


def end_descendants(spared_pid: int | None = None) -> None:
    """End everything below this process, also what appears while it is being ended."""
    while end_all(descendants(spared_pid)):
        pass


def end_postgres(postmaster: ProcessId) -> bool:
    """Stop a PostgreSQL server: SIGINT is its fast shutdown, which loses nothing committed."""
    process = postmaster.find()
    if process is None:
        return False
    _signal(lambda: process.send_signal(signal.SIGINT))
    psutil.wait_procs([process], _KILL_SECONDS)
    return True


def _signal(send: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        send()
