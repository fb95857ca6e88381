"""A refund, and which grants it goes back to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from billing.credits import ZERO, Credits
from billing.grants.adding import NewGrant
from billing.grants.values import Use


@dataclass(frozen=True, slots=True)
class Refund:
    """Credits of a charge that were given back."""

    id: uuid.UUID
    account_id: uuid.UUID
    charge_id: uuid.UUID
    amount: Credits
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewRefund:
    """What an operator asks for. `id` makes it safe to ask again; no amount: all that is left."""

    id: uuid.UUID
    charge_id: uuid.UUID
    amount: Credits | None
    reason: str

    def made(self, refund: Refund) -> bool:
        """Whether `refund` is what this asks for."""
        return (
            refund.id == self.id
            and refund.charge_id == self.charge_id
            and refund.reason == self.reason
            and self.amount in (None, refund.amount)
        )


def choose_parts(uses: Sequence[Use], refunded: Credits, amount: Credits) -> list[Use]:
    """The next `amount` to go back after `refunded` went before: last burnt, first back.

    `uses` are what paid the charge, in burn-down order.
    """
    parts: list[Use] = []
    skipped, left = refunded, amount
    for use in reversed(uses):
        not_back = use.amount - min(use.amount, skipped)
        skipped -= use.amount - not_back
        part = min(not_back, left)
        if part > ZERO:
            parts.append(replace(use, amount=part))
            left -= part
    assert left == ZERO, "more goes back than was paid"
    return parts


def make_grants(parts: Sequence[Use], now: datetime, grace: timedelta) -> list[NewGrant]:
    """Each part burns and expires as what had paid it; if that is over, after `grace`."""
    return [
        NewGrant(
            part.amount,
            part.priority,
            now + grace
            if part.expires_at is not None and part.expires_at <= now
            else part.expires_at,
        )
        for part in parts
    ]
