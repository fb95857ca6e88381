"""Grants and adjustments as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from billing.credits import ZERO, Credits
from billing.grants.values import Adjustment, EntryUses, Grant
from serve.wire import Amount, Moment, Text, Wire

Reason = Annotated[Text, Field(min_length=1, max_length=500, pattern=r"\S")]
"""Why, for the account's holder and for the audit log."""


_BY_HAND_MAX = Credits.parse("1000000000")
"""Thousands of these in one hour still fit the sums of the reports."""


def _bounded(amount: Credits) -> Credits:
    if not -_BY_HAND_MAX <= amount <= _BY_HAND_MAX:
        raise ValueError(f"an amount of {_BY_HAND_MAX} credits at most is needed")
    return amount


def _positive(amount: Credits) -> Credits:
    if amount <= ZERO:
        raise ValueError("an amount above zero is needed")
    return amount


def _not_zero(amount: Credits) -> Credits:
    if amount == ZERO:
        raise ValueError("an amount other than zero is needed")
    return amount


PositiveAmount = Annotated[Amount, AfterValidator(_positive), AfterValidator(_bounded)]


class NewGrantBody(Wire):
    """Credits to give away."""

    account_id: uuid.UUID
    amount: PositiveAmount
    reason: Reason
    priority: int = Field(
        default=50, ge=0, le=99, description="Smaller burns first; what was paid for has 100"
    )
    expires_at: Moment | None = Field(default=None, description="Left out: never")


class GrantView(Wire):
    """Credits that came in together and burn down together."""

    id: uuid.UUID
    account_id: uuid.UUID
    sequence: int = Field(description="The entry that brought them")
    origin: str
    priority: int
    expires_at: datetime | None = Field(description="They can be spent until their expiry entry")
    amount: Amount
    remaining: Amount
    reason: str
    created_at: datetime

    @classmethod
    def of(cls, grant: Grant) -> GrantView:
        """As the wire has it."""
        return cls(
            id=grant.id,
            account_id=grant.account_id,
            sequence=grant.sequence,
            origin=grant.origin,
            priority=grant.priority,
            expires_at=grant.expires_at,
            amount=grant.amount,
            remaining=grant.remaining,
            reason=grant.reason,
            created_at=grant.created_at,
        )


class UseView(Wire):
    """What one grant paid of an entry."""

    grant_id: uuid.UUID
    amount: Amount


class EntryGrantsView(Wire):
    """Which grants paid an entry, in burn-down order."""

    sequence: int
    settled: bool = Field(description="False: not yet known, ask again shortly")
    grants: list[UseView]

    @classmethod
    def of(cls, entry: EntryUses) -> EntryGrantsView:
        """As the wire has it."""
        uses = [UseView(grant_id=use.grant_id, amount=use.amount) for use in entry.uses]
        return cls(sequence=entry.sequence, settled=entry.is_settled, grants=uses)


class NewAdjustmentBody(Wire):
    """Credits to add (above zero) or to take (below zero)."""

    amount: Annotated[Amount, AfterValidator(_not_zero), AfterValidator(_bounded)]
    reason: Reason


class AdjustmentView(Wire):
    """What an operator put right by hand."""

    id: uuid.UUID
    account_id: uuid.UUID
    sequence: int = Field(description="Its entry")
    amount: Amount
    reason: str
    created_at: datetime

    @classmethod
    def of(cls, adjustment: Adjustment) -> AdjustmentView:
        """As the wire has it."""
        return cls(
            id=adjustment.id,
            account_id=adjustment.account_id,
            sequence=adjustment.sequence,
            amount=adjustment.amount,
            reason=adjustment.reason,
            created_at=adjustment.created_at,
        )
