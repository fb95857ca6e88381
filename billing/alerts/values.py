"""A low-balance alert, and the one rule of when it is due."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from billing.credits import Credits

BALANCE_LOW = "balance.low"
"""The type of the event, as receivers see it."""

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Alert:
    """Tells `url` when the balance falls below `level`; `secret` signs what is sent."""

    id: uuid.UUID
    account_id: uuid.UUID
    level: Credits
    url: str
    secret: str
    is_below: bool
    """The side of the balance after the entry `checked_sequence`."""
    checked_sequence: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """The posted balance right after an entry."""

    sequence: int
    balance: Credits


@dataclass(frozen=True, slots=True)
class Walk:
    """What an alert saw on its way along the entries."""

    crossings: tuple[Step, ...]
    """Entries that took the balance from the level or above to below it."""
    is_below: bool
    checked_sequence: int


def is_below(level: Credits, balance: Credits) -> bool:
    """A balance of just the level is not below it."""
    return balance < level


def find_crossings(
    level: Credits, was_below: bool, checked_sequence: int, steps: Iterable[Step]
) -> Walk:
    """Walk along `steps`, which follow `checked_sequence` in order and without a gap."""
    crossings = []
    for step in steps:
        assert step.sequence == checked_sequence + 1
        below = is_below(level, step.balance)
        if below and not was_below:
            crossings.append(step)
        was_below, checked_sequence = below, step.sequence
    return Walk(tuple(crossings), was_below, checked_sequence)


def make_delivery_id(alert_id: uuid.UUID, sequence: int) -> uuid.UUID:
    """One id for one crossing: a second delivery of it cannot be written down."""
    return uuid.uuid5(alert_id, str(sequence))


def describe_crossing(alert: Alert, crossing: Step, now: datetime) -> dict[str, object]:
    """The event that the receiver gets as JSON."""
    return {
        "type": BALANCE_LOW,
        "id": str(make_delivery_id(alert.id, crossing.sequence)),
        "created_at": now.isoformat(),
        "data": {
            "account_id": str(alert.account_id),
            "alert_id": str(alert.id),
            "level": str(alert.level),
            "balance": str(crossing.balance),
            "sequence": crossing.sequence,
        },
    }


def make_secret() -> str:
    """A new signing secret of 256 bits."""
    return _SECRET_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
