"""What a model's input looks like: named features, in the order of the matrix's columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PERMISSION_PREFIX = "android.permission."
ANDROID_MALWARE_PATH = Path(__file__).parent / "android_malware.schema.json"


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """The names of a model's binary features; a row is a vector of zeros and ones in this order."""

    names: tuple[str, ...]
    _columns: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        columns = {name: column for column, name in enumerate(self.names)}
        if not self.names or len(columns) != len(self.names):
            raise ValueError("a feature schema needs at least one name, and each name once")
        object.__setattr__(self, "_columns", columns)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def sha256(self) -> str:
        """Hex digest of the names joined by line feeds: equal schemas have equal digests."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()

    def column(self, name: str) -> int | None:
        """The column of `name`, also when written as `android.permission.NAME`; None if unknown."""
        column = self._columns.get(name)
        if column is None and name.startswith(PERMISSION_PREFIX):
            column = self._columns.get(name.removeprefix(PERMISSION_PREFIX))
        return column

    def row_of(self, names: Sequence[object]) -> bytearray | None:
        """A row with these features present; None unless each is a known name, written once.

        The quick way for well-formed input: the names are only looked up, not looked at.
        """
        try:
            columns = set(map(self._columns.__getitem__, names))  # type: ignore[arg-type]
        except (KeyError, TypeError):
            return None
        if len(columns) != len(names):
            return None
        row = bytearray(len(self.names))
        for column in columns:
            row[column] = 1
        return row


def read_schema(path: Path) -> FeatureSchema:
    """Read the names under `features` in a committed `*.schema.json`, in the columns' order."""
    return FeatureSchema(tuple(json.loads(path.read_text(encoding="utf-8"))["features"]))
