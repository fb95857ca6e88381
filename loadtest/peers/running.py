"""The plain peer as a process of our own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from loadtest.processes import ending

READY_SECONDS = 120
POLL_SECONDS = 0.2


class PeerFailed(Exception):
    """The peer did not come up."""


@contextmanager
def running_peer_process(
    database_url: str, model: Path, port: int, connections: int
) -> Iterator[int]:
    """Run the plain peer; yields its process id, ends its whole group afterwards."""
    command = [sys.executable, "-m", "loadtest.peers"]
    command += ["--database-url", database_url, "--model", str(model), "--port", str(port)]
    command += ["--connections", str(connections)]
    with (
        subprocess.Popen(command, text=True, start_new_session=True) as process,
        _ending_group(process),
        ending(process),
    ):
        _await_ready(f"http://127.0.0.1:{port}", process)
        yield process.pid


@contextmanager
def _ending_group(process: subprocess.Popen[str]) -> Iterator[None]:
    """Workers that outlive their supervisor are in its group, which is ours alone."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _await_ready(base_url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PeerFailed(f"the peer ended with {process.returncode}: is its port in use?")
        try:
            httpx.get(f"{base_url}/healthz", timeout=1).raise_for_status()
        except httpx.HTTPError:
            time.sleep(POLL_SECONDS)
        else:
            return
    raise PeerFailed(f"the peer was not ready after {READY_SECONDS} s")
