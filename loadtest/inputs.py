"""Synthetic applications to score, in each format that the server accepts."""

from __future__ import annotations

import random
from collections.abc import Sequence

FEATURES = 241
ONES_MEAN = 14.4
"""As in the data set the malware model was trained on."""

Row = list[int]
Instance = list[int] | list[str] | dict[str, int]


def make_row(source: random.Random, features: int = FEATURES) -> Row:
    """Zeros and ones, as sparse as real applications are."""
    share = ONES_MEAN / FEATURES
    return [1 if source.random() < share else 0 for _ in range(features)]


def as_names(row: Row, features: Sequence[str]) -> list[str]:
    """The names of the features that are present."""
    return [name for name, flag in zip(features, row, strict=True) if flag]


def as_object(row: Row, features: Sequence[str]) -> dict[str, int]:
    """Present features as ones, with the first absent one written out as zero."""
    present = dict.fromkeys(as_names(row, features), 1)
    absent = next((name for name, flag in zip(features, row, strict=True) if not flag), None)
    return {**present, absent: 0} if absent is not None else present


def make_instance(source: random.Random, features: Sequence[str]) -> Instance:
    """One row in any of the three formats."""
    row = make_row(source, len(features))
    choice = source.randrange(3)
    if choice == 0:
        return row
    return as_names(row, features) if choice == 1 else as_object(row, features)
