"""What waits to be delivered, and how long it is tried."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Channel(StrEnum):
    """The way out."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class Status(StrEnum):
    """Pending until it is delivered or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and how far it came."""

    id: uuid.UUID
    event: str
    status: Status
    attempts: int
    next_attempt_at: datetime | None
    """None once it has ended."""
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is this worker's until its lease ends; this is the attempt `attempt`."""

    id: uuid.UUID
    account_id: uuid.UUID
    payload: Mapping[str, object]
    attempt: int
    created_at: datetime
    url: str | None
    secret: str | None
    """Of the alert; None for an e-mail."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The bounds of all attempts together."""

    attempts_max: int
    age_max: timedelta
    pause_first: timedelta
    pause_max: timedelta


def next_attempt_at(
    patience: Patience, attempt: int, created_at: datetime, now: datetime, jitter: float
) -> datetime | None:
    """When to try again after the failed attempt `attempt` (1 is the first); None: give up.

    The pause doubles with every attempt; `jitter` in [0, 1) takes up to a half off it, so that
    what failed together is not tried together.
    """
    if attempt >= patience.attempts_max:
        return None
    doublings = min(attempt - 1, 32)
    pause = min(patience.pause_max, patience.pause_first * 2**doublings) * (1 - jitter / 2)
    moment = now + pause
    return moment if moment - created_at <= patience.age_max else None
