"""The columns of an exported file: those of the list, under the same names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CellKind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    """Words, some of them a client's own."""

    ID = "id"
    INTEGER = "integer"
    AMOUNT = "amount"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """A column by the name of the attribute it shows."""

    name: str
    kind: CellKind


def _columns(**kinds: CellKind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


ENTRY_COLUMNS = _columns(
    sequence=CellKind.INTEGER,
    kind=CellKind.TEXT,
    amount=CellKind.AMOUNT,
    balance=CellKind.AMOUNT,
    created_at=CellKind.TIME,
    charge_id=CellKind.ID,
    source_id=CellKind.ID,
    reason=CellKind.TEXT,
    model=CellKind.TEXT,
    version=CellKind.TEXT,
    key_id=CellKind.TEXT,
    instances=CellKind.INTEGER,
    request_id=CellKind.TEXT,
)

PREDICTION_COLUMNS = _columns(
    id=CellKind.ID,
    sequence=CellKind.INTEGER,
    model=CellKind.TEXT,
    version=CellKind.TEXT,
    instances=CellKind.INTEGER,
    amount=CellKind.AMOUNT,
    refunded=CellKind.AMOUNT,
    key_id=CellKind.TEXT,
    request_id=CellKind.TEXT,
    created_at=CellKind.TIME,
)
