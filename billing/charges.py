"""What is charged, and how a charge can end: plain values that cross process boundaries.

Expected refusals are return values, never exceptions, so that one batch can carry successes and
refusals side by side.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import NamedTuple

from billing.credits import Credits
from billing.ids import make_uuid5, uuid_of

_UUID_8 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TIME_BYTES = 6
_VERSION_8 = 0x80


def make_charge_id(account_id: uuid.UUID, route: str, idempotency_key: str) -> uuid.UUID:
    """The one charge that `idempotency_key` can ever make on `route` for this account.

    A UUIDv5, all of it a hash. Where the key is a UUIDv8, as ours are, a UUIDv8: the 48 bits that
    the key begins with, which are the time in ours, then 74 of the hash. Those ids come in order,
    and that keeps a charge as cheap in a large ledger as in an empty one (ADR 0010).
    """
    hashed = make_uuid5(account_id, f"{route}\n{idempotency_key}")
    if not _UUID_8.fullmatch(idempotency_key):
        return hashed
    time = bytes.fromhex(idempotency_key[:8] + idempotency_key[9:13])
    rest = hashed.bytes[_TIME_BYTES:]
    return uuid_of(time + bytes((_VERSION_8 | rest[0] & 0x0F,)) + rest[1:])


class Charge(NamedTuple):
    """One request that was predicted and is to be paid: the whole request, never a part of it.

    A tuple, in the order of `charge_sql.CHARGE`'s columns: made in a quarter of the time of a
    frozen dataclass, twice for each request, and a batch turns into columns by one `zip`.
    """

    charge_id: uuid.UUID
    account_id: uuid.UUID
    key_id: str
    """The public part of the API key that asked."""
    request_id: str
    model: str
    version: str
    instances: int
    amount: Credits
    """Price of all instances together, fixed when the request was admitted."""
    body_sha256: bytes
    """SHA-256 of the raw request body, 32 bytes: the same key with another body is refused."""
    inputs: bytes
    """The rows, one bit a feature (`numpy.packbits` along each row), rows one after another."""
    predictions: bytes
    """What is answered again to a retry; the serving side says how it reads."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a paid request was answered; a retry gets the same again."""

    charge_id: uuid.UUID
    model: str
    version: str
    predictions: bytes
    amount: Credits


@dataclass(frozen=True, slots=True)
class StoredRows:
    """What a paid request was answered, and the rows that were asked about."""

    answer: StoredAnswer
    inputs: bytes
    """As those of a Charge."""


@dataclass(frozen=True, slots=True)
class Charged:
    """Committed just now. `balance` is what was left right after this charge."""

    charge_id: uuid.UUID
    balance: Credits


@dataclass(frozen=True, slots=True)
class Replayed:
    """Paid before with the same key and body: answer this again, free. `balance` is that of now."""

    answer: StoredAnswer
    balance: Credits


@dataclass(frozen=True, slots=True)
class AnswerExpired:
    """Paid before with the same key and body, but the stored answer has been pruned."""

    charge_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class KeyConflict:
    """Paid before with the same key and another body: nothing was charged now."""

    charge_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class InsufficientCredits:
    """Not enough credits: nothing was charged."""

    charge_id: uuid.UUID
    required: Credits
    available: Credits


@dataclass(frozen=True, slots=True)
class SpendingCapReached:
    """The key's own cap leaves too little: nothing was charged."""

    charge_id: uuid.UUID
    required: Credits
    left: Credits


@dataclass(frozen=True, slots=True)
class ChargeRejected:
    """The database refuses this one charge whatever stands beside it: nothing was charged."""

    charge_id: uuid.UUID


Earlier = Replayed | AnswerExpired | KeyConflict
"""How a charge ends whose id was paid before."""

Outcome = Charged | Earlier | InsufficientCredits | SpendingCapReached | ChargeRejected
