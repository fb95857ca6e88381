"""Notices what changes in the folder of models; no lock, no message, a few calls of stat.

A look costs 15 to 20 microseconds a version on a local disk of a busy machine; once a second is
nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import structlog

from models.errors import ManifestInvalid, ModelError
from models.manifest import MANIFEST_FILE
from models.registry import Catalog, read_what_can_be
from models.rollout_file import ROLLOUT_FILE

logger = structlog.get_logger(__name__)

_Stamp: TypeAlias = tuple[str, int, int, int]
_Look: TypeAlias = frozenset[_Stamp]


def log_fault(fault: ModelError) -> None:
    """Say what cannot be read, once for each time it changed."""
    logger.error("model_unreadable", code=fault.code, reason=str(fault)[:500])


class CatalogWatch:
    """The catalog of a folder, and whether there is a newer one.

    A version or rollout that cannot be read is reported once and does not keep back the others:
    new ones are left out, known ones stay as they were.
    """

    def __init__(self, root: Path, report: Callable[[ModelError], None] = log_fault) -> None:
        """Read the catalog; raises ManifestInvalid where `root` cannot be read at all."""
        self._root = root
        self._report = report
        # Looked at before it is read: what changes in between is read again at the first poll.
        self._seen = _look(root) if root.is_dir() else frozenset()
        self.catalog = read_what_can_be(root, Catalog(()), report)

    def poll(self) -> Catalog | None:
        """The new catalog where anything changed since the last call, else None."""
        try:
            look = _look(self._root)
            if look == self._seen:
                return None
            found = read_what_can_be(self._root, self.catalog, self._report)
        except (ManifestInvalid, OSError) as error:
            self._report_lost(error)
            return None
        self._seen = look
        if found == self.catalog:
            return None
        self.catalog = found
        return found

    def _report_lost(self, error: ManifestInvalid | OSError) -> None:
        """The folder itself is gone, or changed under our hands: what is known stays."""
        if self._seen:
            fault = error if isinstance(error, ModelError) else ManifestInvalid(str(error))
            self._report(fault)
        self._seen = frozenset()


def _look(root: Path) -> _Look:
    """Name, inode, size and time of every file that the catalog is made of."""
    found: list[_Stamp] = []
    for model in _folders(str(root)):
        found.append(_stamp(f"{model}/{ROLLOUT_FILE}"))
        found += [_stamp(f"{version}/{MANIFEST_FILE}") for version in _folders(model)]
    return frozenset(found)


def _folders(path: str) -> list[str]:
    """As `model_folders`, in a tenth of its time: a directory's entries say what they are."""
    with os.scandir(path) as entries:
        return [
            entry.path
            for entry in entries
            if not entry.name.startswith((".", "__")) and entry.is_dir()
        ]


def _stamp(path: str) -> _Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path's own stat costs twice as much
    except FileNotFoundError:
        return (path, 0, 0, 0)
    return (path, found.st_ino, found.st_size, found.st_mtime_ns)
