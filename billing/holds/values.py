"""A hold and how it may end. Pure rules.

open -> captured | released | expired
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.credits import ZERO, Credits
from billing.holds.errors import CaptureTooLarge, HoldExpired, HoldResolved


class Status(StrEnum):
    """How a hold stands."""

    OPEN = "open"
    CAPTURED = "captured"
    """Wholly or in part; the rest was given back."""
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Hold:
    """Credits set aside for work under way: they cannot be spent until it ends."""

    id: uuid.UUID
    account_id: uuid.UUID
    amount: Credits
    reason: str
    created_at: datetime
    expires_at: datetime
    status: Status = Status.OPEN
    captured: Credits = ZERO
    resolved_at: datetime | None = None


def may_capture(hold: Hold, amount: Credits, now: datetime) -> bool:
    """Whether `amount` is to be captured now; False: it was before, just so.

    Raises HoldExpired, HoldResolved, CaptureTooLarge. `amount` is above zero.
    """
    assert amount > ZERO
    if (hold.status, hold.captured) == (Status.CAPTURED, amount):
        return False
    _check_open(hold)
    if now >= hold.expires_at:
        raise HoldExpired(f"hold {hold.id} expired at {hold.expires_at}")
    if amount > hold.amount:
        raise CaptureTooLarge(f"hold {hold.id} has {hold.amount} credits")
    return True


def may_release(hold: Hold) -> bool:
    """Whether it is to be released now; False: it was before. Raises HoldExpired, HoldResolved."""
    if hold.status is Status.RELEASED:
        return False
    _check_open(hold)
    return True


def _check_open(hold: Hold) -> None:
    if hold.status is Status.EXPIRED:
        raise HoldExpired(f"hold {hold.id} has expired")
    if hold.status is not Status.OPEN:
        raise HoldResolved(f"hold {hold.id} was {hold.status} before")
