"""What is wrong with a file: as a whole, or in one of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

LISTED_MAX = 100_000
"""Faults kept by name; more are counted."""

_SHOWN_CHARACTERS_MAX = 60


class FileRefused(Exception):
    """Nothing can be made of the file. `code` names a text, `values` fill it in."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code, values)
        self.code = code
        self.values = values


class FaultKind(StrEnum):
    """Each has a text that says how to mend it."""

    VALUE = "value"
    NAME = "name"
    CELLS = "cells"
    LENGTH = "length"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Fault:
    """One cell or row. `line` is the file's own, `hint` what its kind's text is filled with."""

    line: int
    column: str
    found: str
    kind: FaultKind
    hint: str = ""


@dataclass(slots=True)
class FaultLog:
    """The first faults by name, and how many there are."""

    listed: list[Fault] = field(default_factory=list)
    total: int = 0

    def add(self, line: int, column: str, found: object, kind: FaultKind, hint: str = "") -> None:
        """`line` may be any number that is made a line at the end."""
        self.total += 1
        if len(self.listed) < LISTED_MAX:
            self.listed.append(Fault(line, column, shorten(str(found)), kind, hint))

    def count(self, faults: int) -> None:
        """Faults that are counted and no more."""
        self.total += faults

    @property
    def room(self) -> int:
        """How many more are kept by name."""
        return LISTED_MAX - len(self.listed)


def shorten(text: str) -> str:
    """As shown: one line, not long."""
    plain = " ".join(text.split())
    if len(plain) <= _SHOWN_CHARACTERS_MAX:
        return plain
    return plain[:_SHOWN_CHARACTERS_MAX] + "\N{HORIZONTAL ELLIPSIS}"
