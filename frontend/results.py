"""Files made for people to download, each in its account's own folder, for a while."""

from __future__ import annotations

import re
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """A folder with a folder an account; nothing is listed, and names are checked."""

    folder: Path
    kept_seconds: float

    def place(self, account_id: str, name: str) -> Path:
        """Where a file of that name is to be written; older files are removed on the way."""
        self.sweep(time.time())
        path = self._path(account_id, name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def find(self, account_id: str, name: str) -> Path | None:
        """That account's file, or None."""
        try:
            path = self._path(account_id, name)
        except ValueError:
            return None
        return path if path.is_file() else None

    def sweep(self, now: float) -> None:
        """Remove what was written longer ago than files are kept."""
        for path in self.folder.glob("*/*"):
            with suppress(FileNotFoundError):  # another job sweeps too
                if path.stat().st_mtime < now - self.kept_seconds:
                    path.unlink()

    def _path(self, account_id: str, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a file here")
        return self.folder / str(uuid.UUID(account_id)) / name
