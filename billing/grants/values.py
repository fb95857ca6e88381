"""Grants as they are read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from billing.credits import Credits
from billing.grants.adding import Origin


@dataclass(frozen=True, slots=True)
class Grant:
    """Credits that came in together, and what is left of them as far as is settled."""

    id: uuid.UUID
    account_id: uuid.UUID
    sequence: int
    """The entry that brought them."""
    origin: Origin
    priority: int
    expires_at: datetime | None
    amount: Credits
    remaining: Credits
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """What one grant paid of one entry."""

    grant_id: uuid.UUID
    priority: int
    expires_at: datetime | None
    amount: Credits


@dataclass(frozen=True, slots=True)
class EntryUses:
    """Which grants paid an entry, in burn-down order; unknown until it is settled."""

    sequence: int
    is_settled: bool
    uses: list[Use]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What an operator put right by hand: credits in (above zero) or out."""

    id: uuid.UUID
    account_id: uuid.UUID
    sequence: int
    amount: Credits
    reason: str
    created_at: datetime
