"""Rows, charges and outcomes as bytes between our own replicas.

Plain columns: pickling a dataclass looks its fields up one by one, which took 4 % of an ingress
replica's time and a quarter of the billing replica's. A column that repeats a name, as those of
models and keys do, holds it once.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

from billing.charges import Charge, Charged, Outcome
from billing.credits import Credits
from billing.ids import uuid_of

NOT_LOADED = b""
"""A scorer's answer where it cannot load the version asked for; no other answer is empty."""

_PROTOCOL = pickle.HIGHEST_PROTOCOL
_ID_BYTES = 16
_NO_COLUMNS: list[tuple[Any, ...]] = [()] * len(Charge._fields)
_AMOUNT = Charge._fields.index("amount")


class Asked(NamedTuple):
    """What a scorer is asked of some rows."""

    model: str
    version: str
    packed_rows: bytes
    rows: int
    explained_features: int = 0
    """Contributions to be told of each row; 0: probabilities alone."""
    counts: bool = True
    """Whether drift counts the rows; not those that were scored before or by another version."""


def encode_rows(
    model: str,
    version: str,
    packed_rows: bytes,
    rows: int,
    explained_features: int = 0,
    *,
    counts: bool = True,
) -> bytes:
    """What a scorer is asked; with 0 rows, to load the version."""
    asked: tuple[object, ...] = (model, version, packed_rows, rows)
    if explained_features or not counts:
        asked = (*asked, explained_features, counts)
    return pickle.dumps(asked, protocol=_PROTOCOL)


def decode_rows(data: bytes) -> Asked:
    """The inverse of `encode_rows`."""
    return Asked(*_loads(data))


def encode_charges(charges: Sequence[Charge]) -> bytes:
    """Two runs of 16-byte ids, then the other columns, amounts in microcredits."""
    columns = list(zip(*charges, strict=True)) or _NO_COLUMNS
    charge_ids, account_ids, *rest = columns
    rest[_AMOUNT - 2] = tuple([amount.microcredits for amount in rest[_AMOUNT - 2]])
    return pickle.dumps((_join_ids(charge_ids), _join_ids(account_ids), rest), protocol=_PROTOCOL)


def decode_charges(data: bytes) -> list[Charge]:
    """The inverse of `encode_charges`."""
    charge_ids, account_ids, rest = _loads(data)
    rest[_AMOUNT - 2] = map(Credits, rest[_AMOUNT - 2])
    columns = (_split_ids(charge_ids), _split_ids(account_ids), *rest)
    return list(map(Charge._make, zip(*columns, strict=True)))


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """The balance where the charge was made, which is nearly always; the whole outcome else."""
    short = [
        outcome.balance.microcredits if isinstance(outcome, Charged) else outcome
        for outcome in outcomes
    ]
    return pickle.dumps(short, protocol=_PROTOCOL)


def encode_failure(code: str) -> bytes:
    """In place of outcomes: the code of the error that kept all of them away."""
    return pickle.dumps(code, protocol=_PROTOCOL)


def decode_outcomes(data: bytes, charges: Sequence[Charge]) -> list[Outcome] | str:
    """The outcomes of the charges that were sent, or the code of an error."""
    said = _loads(data)
    if isinstance(said, str):
        return said
    return [
        Charged(charge.charge_id, Credits(outcome)) if isinstance(outcome, int) else outcome
        for charge, outcome in zip(charges, said, strict=True)
    ]


def _join_ids(ids: Sequence[Any]) -> bytes:
    return b"".join([each.bytes for each in ids])


def _split_ids(data: bytes) -> list[Any]:
    starts = range(0, len(data), _ID_BYTES)
    return [uuid_of(data[start : start + _ID_BYTES]) for start in starts]


def _loads(data: bytes) -> Any:  # noqa: ANN401 - whatever was dumped above
    return pickle.loads(data)  # noqa: S301 - bytes of our own replicas
