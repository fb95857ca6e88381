"""Which grants pay for what: a pure function of an account's entries in their order.

Counts plain integers, microcredits: it runs once for every debit there is.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from billing.posting import Kind

_NEVER = datetime.max.replace(tzinfo=UTC)

BurnOrder = tuple[int, datetime, uuid.UUID]


def make_burn_order(priority: int, expires_at: datetime | None, grant_id: uuid.UUID) -> BurnOrder:
    """Smaller burns first: by priority, then by expiry with none last, then by id."""
    return (priority, expires_at or _NEVER, grant_id)


@dataclass(frozen=True, slots=True)
class OpenGrant:
    """A grant that has something left."""

    id: uuid.UUID
    sequence: int
    """The entry that brought it: it pays for later entries alone."""
    priority: int
    expires_at: datetime | None
    remaining_microcredits: int
    source_id: uuid.UUID | None = None

    @property
    def burn_order(self) -> BurnOrder:
        return make_burn_order(self.priority, self.expires_at, self.id)


@dataclass(frozen=True, slots=True)
class Debit:
    """An entry that took something. `microcredits` is above zero."""

    sequence: int
    kind: str
    microcredits: int
    source_id: uuid.UUID | None = None


@dataclass(slots=True)
class Span:
    """A run of debits that one grant paid for, wholly but for the first and the last.

    One debit alone is both its first and its last.
    """

    grant_id: uuid.UUID
    first_sequence: int
    first_microcredits: int
    last_sequence: int
    last_microcredits: int
    amount_microcredits: int
    is_last_whole: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is left of each grant that was used, and what it was used for."""

    remaining_microcredits: dict[uuid.UUID, int]
    spans: list[Span]


def settle_debits(grants: Iterable[OpenGrant], debits: Iterable[Debit]) -> Settlement:
    """Let `grants` pay `debits`, which are in the order of their sequence.

    `grants` are all of the account with something left before the first debit, and those that came
    in later. However the debits are cut into calls, each of them is paid by the same grants.
    """
    burning = _Burning(grants)
    for debit in debits:
        burning.pay(debit)
    return Settlement(
        {
            grant.id: burning.remaining[grant.id]
            for grant in burning.grants
            if burning.remaining[grant.id] != grant.remaining_microcredits
        },
        burning.spans,
    )


class _Burning:
    def __init__(self, grants: Iterable[OpenGrant]) -> None:
        self.grants = sorted(grants, key=lambda grant: grant.sequence, reverse=True)
        self.remaining = {grant.id: grant.remaining_microcredits for grant in self.grants}
        self.spans: list[Span] = []
        self._arriving = self.grants.copy()
        self._arrived: list[tuple[BurnOrder, OpenGrant]] = []
        self._open: Span | None = None

    def pay(self, debit: Debit) -> None:
        while self._arriving and self._arriving[-1].sequence < debit.sequence:
            grant = self._arriving.pop()
            heapq.heappush(self._arrived, (grant.burn_order, grant))
        parts: list[tuple[uuid.UUID, int]] = []
        left = debit.microcredits
        if debit.source_id is not None:
            left = self._take_from(self._find_preferred(debit), left, parts)
        assert left == 0 or debit.kind != Kind.EXPIRY, f"{debit} is more than its grant had left"
        while left > 0:
            assert self._arrived, f"{debit} is more than all grants before it had left"
            grant = self._arrived[0][1]
            if self.remaining[grant.id] == 0:
                heapq.heappop(self._arrived)
            else:
                left = self._take_from([grant], left, parts)
        self._add_to_spans(debit, parts)

    def _find_preferred(self, debit: Debit) -> Sequence[OpenGrant]:
        """What pays before the burn-down order is looked at.

        An expiry takes its own grant; what is taken back of a top-up is first what it brought.
        """
        if debit.kind == Kind.EXPIRY:
            return [grant for _, grant in self._arrived if grant.id == debit.source_id]
        if debit.kind == Kind.ADJUSTMENT:
            return [
                grant for _, grant in sorted(self._arrived) if grant.source_id == debit.source_id
            ]
        return []

    def _take_from(
        self, grants: Sequence[OpenGrant], left: int, parts: list[tuple[uuid.UUID, int]]
    ) -> int:
        for grant in grants:
            taken = min(self.remaining[grant.id], left)
            if taken > 0:
                self.remaining[grant.id] -= taken
                left -= taken
                parts.append((grant.id, taken))
        return left

    def _add_to_spans(self, debit: Debit, parts: list[tuple[uuid.UUID, int]]) -> None:
        """Only the last to pay can have something left, so one span at most goes on."""
        before = self._open
        for grant_id, paid in parts:
            is_whole = paid == debit.microcredits
            if before is not None and before.grant_id == grant_id and _can_go_on(before):
                before.last_sequence = debit.sequence
                before.last_microcredits = paid
                before.amount_microcredits += paid
                before.is_last_whole = is_whole
                self._open = before
            else:
                self._open = Span(
                    grant_id, debit.sequence, paid, debit.sequence, paid, paid, is_whole
                )
                self.spans.append(self._open)


def _can_go_on(span: Span) -> bool:
    """What becomes the middle of a run must be paid wholly; its first debit need not be."""
    return span.is_last_whole or span.first_sequence == span.last_sequence
