"""A peer's processes: started, waited for, and ended wholly, whatever they fork."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

MARK = "PEER_FOLDER"
"""Every process of a peer carries this variable, set to the run's own temporary folder."""
READY_SECONDS = 120
STOP_SECONDS = 15
KILL_SECONDS = 5
KILL_ROUNDS = 5
POLL_SECONDS = 0.2
LOG_LINES = 30


class PeerFailed(Exception):
    """The peer did not come up, or its answers are wrong."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a peer is started, and the path that answers 200 once it can score."""

    command: tuple[str, ...]
    ready_path: str
    environment: dict[str, str]


@contextmanager
def running_process(launch: Launch, port: int, folder: Path) -> Iterator[int]:
    """Run a peer in `folder`; yields the id of its first process, ends all of them afterwards."""
    _refuse_busy(port)
    log = folder / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            launch.command,
            cwd=folder,
            env={**os.environ, **launch.environment, MARK: str(folder), "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
        _ending_all(process, folder),
    ):
        _await_ready(f"http://127.0.0.1:{port}{launch.ready_path}", process, log)
        yield process.pid


def marked_processes(folder: Path) -> list[psutil.Process]:
    """Living processes that descend from a peer started in `folder`, in whatever session."""
    return [each for each in psutil.process_iter() if _mark_of(each) == str(folder)]


def log_tail(log: Path) -> str:
    """The last lines that a peer wrote."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


@contextmanager
def _ending_all(process: subprocess.Popen[str], folder: Path) -> Iterator[None]:
    """End the first process politely, then kill what it left behind."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        _kill_marked(folder)


def _kill_marked(folder: Path) -> None:
    """In rounds, since what is killed may have forked meanwhile."""
    for _ in range(KILL_ROUNDS):
        left = marked_processes(folder)
        if not left:
            return
        for each in left:
            try:
                each.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=KILL_SECONDS)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        mark: str | None = process.environ().get(MARK)
    except psutil.Error:
        return None
    return mark


def _refuse_busy(port: int) -> None:
    """Another server there would answer in the peer's place."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise PeerFailed(f"port {port} is in use by another server")


def _await_ready(url: str, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PeerFailed(f"the peer ended with {process.returncode}:\n{log_tail(log)}")
        try:
            httpx.get(url, timeout=1).raise_for_status()
        except httpx.HTTPError:
            time.sleep(POLL_SECONDS)
        else:
            return
    raise PeerFailed(f"the peer was not ready after {READY_SECONDS} s:\n{log_tail(log)}")
