"""The product's command line, run as a customer's operator would run it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

COMMAND_TIMEOUT_SECONDS = 120


class CommandFailed(Exception):
    """A `farebox` command ended with an error."""


def run_farebox(*arguments: str) -> str:
    """Standard output of `farebox ARGUMENTS`; raises CommandFailed with what it said."""
    completed = subprocess.run(
        [farebox_executable(), *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_SECONDS,
        check=False,
    )
    if completed.returncode:
        said = (completed.stderr or completed.stdout).strip()
        raise CommandFailed(f"farebox {arguments[0]} ended with {completed.returncode}: {said}")
    return completed.stdout


def reconcile_problem() -> str | None:
    """None where `farebox reconcile` finds the ledger clean, else what it says."""
    try:
        run_farebox("reconcile")
    except CommandFailed as error:
        return str(error)
    return None


def farebox_executable() -> str:
    """The command `farebox` of this environment."""
    beside = Path(sys.executable).parent / "farebox"
    found = str(beside) if beside.exists() else shutil.which("farebox")
    if found is None:
        raise CommandFailed("the command `farebox` is not installed beside this Python")
    return found
