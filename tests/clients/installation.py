"""`python -m tests.clients.installation`: an environment for each client of the protocol.

Their pins disagree with ours, so each is installed by itself into .venv-clients.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
FOLDER = ROOT / ".venv-clients"
INSTALL_SECONDS_MAX = 900


class InstallFailed(Exception):
    """A client cannot be installed here; the text says why."""


@dataclass(frozen=True, slots=True)
class ClientEnvironment:
    """The environment of one client, made from its pinned requirements."""

    name: str

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def requirements(self) -> Path:
        return REQUIREMENTS / f"{self.name}.txt"

    @property
    def mark(self) -> Path:
        """Holds the digest of the pins it was made from; written last."""
        return self.folder / ".installed"

    def digest(self) -> str:
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()

    def ensure(self) -> None:
        """Install it unless it is there from the pins of today; raises InstallFailed."""
        if self.mark.exists() and self.mark.read_text() == self.digest():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        FOLDER.mkdir(exist_ok=True)
        _run(sys.executable, "-m", "venv", str(self.folder))
        _run(
            *(str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "-r", str(self.requirements)),
        )
        self.mark.write_text(self.digest())


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(f"not installed within {error.timeout} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
        lines = lines or done.stderr.splitlines() or [f"exit code {done.returncode}"]
        raise InstallFailed(lines[-1])


def main() -> None:
    """Install every client that is not there."""
    for path in sorted(REQUIREMENTS.glob("*.txt")):
        environment = ClientEnvironment(path.stem)
        print(f"{environment.name}: installing into {environment.folder}", flush=True)
        environment.ensure()
        print(f"{environment.name}: installed", flush=True)


if __name__ == "__main__":
    main()
