"""`python -m loadtest.with_product MODULE ...`: runs a load test on the running product, or on one
started for it and ended after it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtest.commands import CommandFailed, farebox_executable
from loadtest.processes import ending
from loadtest.product import STATE_FOLDER, NoProduct, find_product

READY_LINE = "Ctrl-C stops everything"
START_SECONDS = 180
POLL_SECONDS = 0.5


def main() -> None:
    """Run the module named on the command line; its exit code is ours."""
    with product_for_now():
        sys.exit(subprocess.run([sys.executable, "-m", *sys.argv[1:]], check=False).returncode)


@contextmanager
def product_for_now() -> Iterator[None]:
    """The product that runs here, else one that lives as long as this block."""
    try:
        find_product()
    except NoProduct:
        with _started():
            yield
    else:
        yield


@contextmanager
def _started() -> Iterator[None]:
    print("no product is running here: starting one for now", file=sys.stderr)
    STATE_FOLDER.mkdir(exist_ok=True)
    log = STATE_FOLDER / "loadtest-up.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [farebox_executable(), "up"],
            env={"FAREBOX_CONSOLE_PORT": "0", **os.environ},  # what is measured is served without
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        ending(process),
    ):
        _await_ready(process, log)
        yield


def _await_ready(process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while READY_LINE not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CommandFailed(f"the product did not start:\n{log.read_text()}")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
