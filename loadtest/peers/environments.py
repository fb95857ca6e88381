"""The Python environments that peers run in: the product's own, or one each in .venv-peers."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
FOLDER = ROOT / ".venv-peers"
HOW = "run `make peers`"


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment of one peer's alone, made by `make peers` from its pinned requirements."""

    name: str
    parent: Path = FOLDER

    @property
    def folder(self) -> Path:
        """Where its packages are."""
        return self.parent / self.name

    @property
    def python(self) -> Path:
        """Its interpreter; its other commands are beside it."""
        return self.folder / "bin" / "python"

    @property
    def requirements(self) -> Path:
        """The pins it is made from."""
        return REQUIREMENTS / f"{self.name}.txt"

    @property
    def mark(self) -> Path:
        """Holds the digest of the pins it was made from; written last."""
        return self.folder / ".installed"

    @property
    def failure(self) -> Path:
        """Says why it could not be made; absent where it was."""
        return self.parent / f"{self.name}.failed"

    def digest(self) -> str:
        """Of the pins as they are now."""
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()

    def missing_reason(self) -> str | None:
        """None where it is complete and of today's pins, else what to do."""
        if self.mark.exists():
            current = self.mark.read_text() == self.digest()
            return None if current else f"{self.name} was installed from other pins: {HOW}"
        if self.failure.exists():
            return self.failure.read_text().strip()
        return f"{self.name} is not installed: {HOW}"

    def versions(self, distributions: Sequence[str]) -> dict[str, str]:
        """Versions of Python and of those `distributions` that are there."""
        paths = [str(path) for path in self.folder.glob("lib/python*/site-packages")]
        found = {
            distribution.name.lower(): distribution.version
            for distribution in importlib.metadata.distributions(path=paths)
        }
        known = {name: found[name] for name in distributions if name in found}
        return {"python": self._python_version(), **known}

    def _python_version(self) -> str:
        try:
            lines = (self.folder / "pyvenv.cfg").read_text().splitlines()
        except FileNotFoundError:
            return "unknown"
        fields = dict(line.split(" = ", 1) for line in lines if " = " in line)
        return fields.get("version", "unknown")


@dataclass(frozen=True, slots=True)
class OwnEnvironment:
    """The environment that the benchmark itself runs in; `needed` are what its peers lean on."""

    needed: tuple[str, ...] = ("fastapi", "uvicorn", "uvloop", "httptools", "lightgbm")

    @property
    def python(self) -> Path:
        """The interpreter of the benchmark."""
        return Path(sys.executable)

    def missing_reason(self) -> str | None:
        """None where all that is needed is there."""
        missing = [name for name in self.needed if name not in self.versions(self.needed)]
        return f"not installed beside the benchmark: {', '.join(missing)}" if missing else None

    def versions(self, distributions: Sequence[str]) -> dict[str, str]:
        """Versions of Python and of those `distributions` that are there."""
        known = {"python": ".".join(map(str, sys.version_info[:3]))}
        for name in distributions:
            try:
                known[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        return known
