"""One account's entries and grants."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from billing.credits import ZERO, Credits
from billing.grants.adding import Origin
from billing.posting import Kind

_NEVER = datetime.max.replace(tzinfo=UTC)
_UNNAMED = uuid.UUID(int=0)


@dataclass(eq=False)
class Grant:
    """Credits that came in together."""

    sequence: int
    origin: Origin
    priority: int
    expires_at: datetime | None
    amount: Credits
    source_id: uuid.UUID | None
    id: uuid.UUID = _UNNAMED
    """Where the product makes the id it is told afterwards, by `Book.name_grants`."""

    @property
    def rank(self) -> tuple[int, datetime, uuid.UUID]:
        """The smallest burns first."""
        return (self.priority, self.expires_at or _NEVER, self.id)


@dataclass(frozen=True)
class Part:
    """What a credit consists of."""

    amount: Credits
    priority: int
    expires_at: datetime | None = None
    id: uuid.UUID = _UNNAMED


@dataclass(eq=False)
class Entry:
    """A line of the book."""

    sequence: int
    kind: Kind
    amount: Credits
    balance: Credits
    source_id: uuid.UUID | None = None
    uses: list[tuple[Grant, Credits]] = field(default_factory=list)
    """Which grants paid it, and how much each."""


class Book:
    """Entries, the grants they brought, and what is held."""

    def __init__(self, account_id: uuid.UUID) -> None:
        self.account_id = account_id
        self.entries: list[Entry] = []
        self.grants: list[Grant] = []
        self.held = ZERO

    @property
    def posted(self) -> Credits:
        """The sum of the entries."""
        return total(entry.amount for entry in self.entries)

    @property
    def available(self) -> Credits:
        """What can be spent."""
        return self.posted - self.held

    def credit(
        self, kind: Kind, origin: Origin, parts: Sequence[Part], source_id: uuid.UUID | None
    ) -> Entry:
        """Credits come in, each part as a grant of its own."""
        entry = self._write(kind, total(part.amount for part in parts), source_id)
        for part in parts:
            grant = Grant(
                entry.sequence,
                origin,
                part.priority,
                part.expires_at,
                part.amount,
                source_id,
                part.id,
            )
            self.grants.append(grant)
        return entry

    def debit(self, kind: Kind, amount: Credits, source_id: uuid.UUID | None = None) -> Entry:
        """Credits leave (`amount` is not below zero), and grants pay at once."""
        assert ZERO <= amount <= self.posted
        payers = self._find_payers(kind, source_id)
        entry = self._write(kind, -amount, source_id)
        left = amount
        for grant in payers:
            paid = min(left, self.remaining(grant))
            if paid > ZERO:
                entry.uses.append((grant, paid))
                left -= paid
        assert left == ZERO, "grants do not cover the balance"
        return entry

    def remaining(self, grant: Grant, sequence: int | None = None) -> Credits:
        """What is left of it after that entry; left out: after the last."""
        paid = ZERO
        for entry in self.entries:
            if sequence is None or entry.sequence <= sequence:
                paid += total(amount for used, amount in entry.uses if used is grant)
        return grant.amount - paid

    def name_grants(self, ids: dict[int, list[tuple[uuid.UUID, tuple[object, ...]]]]) -> None:
        """Take over ids that the product made: by sequence, each with its `describe`."""
        for grant in self.grants:
            if grant.id != _UNNAMED:
                continue
            candidates = ids.get(grant.sequence, [])
            for candidate in candidates:
                if candidate[1] == describe(grant):
                    grant.id = candidate[0]
                    candidates.remove(candidate)
                    break
            else:
                raise AssertionError(f"no grant {describe(grant)} at entry {grant.sequence}")

    def _find_payers(self, kind: Kind, source_id: uuid.UUID | None) -> list[Grant]:
        in_order = sorted(self.grants, key=lambda grant: grant.rank)
        if kind is Kind.EXPIRY:
            return [grant for grant in in_order if grant.id == source_id]
        if kind is Kind.ADJUSTMENT and source_id is not None:
            own = [grant for grant in in_order if grant.source_id == source_id]
            return own + [grant for grant in in_order if grant.source_id != source_id]
        return in_order

    def _write(self, kind: Kind, amount: Credits, source_id: uuid.UUID | None) -> Entry:
        entry = Entry(len(self.entries) + 1, kind, amount, self.posted + amount, source_id)
        self.entries.append(entry)
        return entry


def describe(grant: Grant) -> tuple[object, ...]:
    """All of a grant that does not change but for its id."""
    return (
        grant.sequence,
        str(grant.origin),
        grant.priority,
        grant.expires_at,
        grant.amount,
        grant.source_id,
    )


def total(amounts: Iterable[Credits]) -> Credits:
    """Their sum."""
    result = ZERO
    for amount in amounts:
        result += amount
    return result
