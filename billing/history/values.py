"""What an account's history consists of, and what of it is asked for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from billing.credits import Credits
from billing.posting import Kind


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of a history is asked for; None leaves nothing out.

    Times are from `since` to before `until`. A model, a version or a key leaves only charges.
    """

    since: datetime | None = None
    until: datetime | None = None
    kinds: frozenset[Kind] | None = None
    model: str | None = None
    version: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry; from `model` on: what was predicted for a charge, None for all else."""

    sequence: int
    kind: Kind
    amount: Credits
    balance: Credits
    created_at: datetime
    charge_id: uuid.UUID | None
    source_id: uuid.UUID | None
    reason: str | None
    model: str | None
    version: str | None
    key_id: str | None
    instances: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A request that was answered and paid; `refunded` is what came back of `amount` so far."""

    id: uuid.UUID
    sequence: int
    model: str
    version: str
    instances: int
    amount: Credits
    refunded: Credits
    key_id: str
    request_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was asked and answered: packed rows, and the JSON array as it was sent."""

    inputs: bytes
    predictions: bytes


Item = TypeVar("Item", Entry, Prediction)


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """A part of a list, newest first."""

    items: list[Item]
    before: int | None
    """What follows has a sequence below this; None: nothing does."""


@dataclass(frozen=True, slots=True)
class Span:
    """Sequences after `after`, up to and including `last`."""

    after: int
    last: int

    def before(self, sequence: int) -> Span:
        """Only what is below `sequence`."""
        return Span(self.after, min(self.last, sequence - 1))

    def newest(self, count: int) -> Span:
        """The last `count` of it."""
        return Span(max(self.after, self.last - count), self.last)

    def oldest(self, count: int) -> Span:
        """The first `count` of it."""
        return Span(self.after, min(self.last, self.after + count))

    @property
    def is_empty(self) -> bool:
        return self.last <= self.after
