"""`python -m loadtest.peers.installation`: makes the environment of each peer that has its own.

Needs nothing but Python. A peer that cannot be installed for this Python is named, with the reason
kept for the benchmark, and the others are installed all the same.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

from loadtest.peers.environments import REQUIREMENTS, Environment

INSTALL_SECONDS_MAX = 1800
REASON_LINES = 1


class InstallFailed(Exception):
    """A command of an installation ended with an error."""


def main() -> None:
    """Make what is missing or of other pins; the benchmark leaves out what could not be made."""
    environments = [Environment(path.stem) for path in sorted(REQUIREMENTS.glob("*.txt"))]
    for environment in environments:
        if environment.missing_reason() is None:
            print(f"{environment.name}: installed")
            continue
        print(f"{environment.name}: installing into .venv-peers/{environment.name}", flush=True)
        install(environment)
        print(environment.missing_reason() or f"{environment.name}: installed", flush=True)


def install(environment: Environment) -> None:
    """Make `environment` afresh; where that fails, leave the reason in its place."""
    environment.failure.unlink(missing_ok=True)
    shutil.rmtree(environment.folder, ignore_errors=True)
    environment.parent.mkdir(exist_ok=True)
    try:
        _run(sys.executable, "-m", "venv", str(environment.folder))
        _run(
            *(str(environment.python), "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", "--require-hashes"),
            *("-r", str(environment.requirements)),
        )
    except (InstallFailed, subprocess.TimeoutExpired) as error:
        shutil.rmtree(environment.folder, ignore_errors=True)
        environment.failure.write_text(failure_text(environment.name, str(error)))
    else:
        environment.mark.write_text(environment.digest())


def failure_text(name: str, said: str) -> str:
    """What a reader of the benchmark must know."""
    version = ".".join(map(str, sys.version_info[:2]))
    return (
        f"{name} cannot be installed for Python {version}, so the benchmark leaves it out "
        f"(`make peers PYTHON=python3.11` may help): {said}\n"
    )


def _run(*command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
        lines = lines or done.stderr.splitlines() or done.stdout.splitlines()
        raise InstallFailed(" ".join(lines[-REASON_LINES:]) or f"code {done.returncode}")


if __name__ == "__main__":
    main()
