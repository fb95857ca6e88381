"""Ending processes that we started, by their ids."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SECONDS = 60
"""A whole product takes some seconds to end all that it started."""


@contextmanager
def ending(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    """End `process` on the way out: politely first, then not."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
