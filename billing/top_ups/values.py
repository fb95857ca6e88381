"""A top-up, what a payment provider tells of it, and what follows from that. Pure rules.

    pending -> paid | failed
    failed  -> paid            late money is money
    pending, failed, paid -> charged_back

A chargeback may come before the payment that it takes back: the payment then brings only what is
left of it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil

from billing.credits import MICROCREDITS_PER_CREDIT, ZERO, Credits

CHARGED_BACK = "top-up charged back"
DEBT_REPAID = "debt of a charged-back top-up repaid"
"""Reasons of adjustment entries; `billing.reconcile` knows them."""


class Status(StrEnum):
    """Where a top-up stands."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    CHARGED_BACK = "charged_back"
    """Wholly or in part."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a top-up costs. Minor units are cents or their like."""

    minor_units: int
    currency: str
    """ISO 4217, lower case."""


@dataclass(frozen=True, slots=True)
class TopUp:
    """Credits that are bought."""

    id: uuid.UUID
    account_id: uuid.UUID
    provider: str
    amount: Credits
    price: Price
    created_at: datetime
    status: Status = Status.PENDING
    provider_reference: str | None = None
    checkout_url: str | None = None
    paid_at: datetime | None = None
    """When the credits came in; None: they did not."""
    charged_back: Credits = ZERO
    charged_back_minor_units: int = 0
    return_url: str | None = None
    """Where the payer's browser goes afterwards."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a top-up is paid: the provider's own name for it, and its page."""

    reference: str
    url: str


class EventKind(StrEnum):
    """What a provider can tell."""

    PAID = "paid"
    FAILED = "failed"
    CHARGED_BACK = "charged_back"


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """One message of a provider, its signature verified. Equal ids are the same message."""

    provider: str
    event_id: str
    kind: EventKind
    top_up_id: uuid.UUID
    money: Price | None = None
    """What was paid, or what this chargeback alone takes back. None: the whole price."""


@dataclass(frozen=True, slots=True)
class Debt:
    """What chargebacks of a top-up could not take, and how much of it later top-ups have paid."""

    top_up_id: uuid.UUID
    amount: Credits
    repaid: Credits
    created_at: datetime

    @property
    def owed(self) -> Credits:
        return self.amount - self.repaid


@dataclass(frozen=True, slots=True)
class Change:
    """What an event does: the top-up's new state and the credits that move."""

    status: Status
    credited: Credits = ZERO
    """Comes in, by one entry over the whole top-up."""
    taken_back: Credits = ZERO
    """Leaves again; what is not there becomes a debt."""
    charged_back: Credits = ZERO
    charged_back_minor_units: int = 0


def price_of(amount: Credits, credit_price_minor_units: Decimal, currency: str) -> Price:
    """The exact price, rounded up to a whole minor unit."""
    exact = Fraction(amount.microcredits, MICROCREDITS_PER_CREDIT) * Fraction(
        credit_price_minor_units
    )
    return Price(ceil(exact), currency)


def is_short(top_up: TopUp, paid: Price | None) -> bool:
    """Whether less than the price was paid. Other currencies cannot be compared: the provider's
    page asked for the price."""
    return (
        paid is not None
        and paid.currency == top_up.price.currency
        and paid.minor_units < top_up.price.minor_units
    )


def change_by(top_up: TopUp, event: PaymentEvent) -> Change | None:
    """What the event changes; None where it changes nothing."""
    match event.kind:
        case EventKind.PAID:
            return _pay(top_up)
        case EventKind.FAILED:
            return Change(Status.FAILED) if top_up.status is Status.PENDING else None
        case EventKind.CHARGED_BACK:
            return _charge_back(top_up, event.money)


def _pay(top_up: TopUp) -> Change | None:
    if top_up.paid_at is not None or top_up.charged_back == top_up.amount:
        return None
    return Change(
        Status.CHARGED_BACK if top_up.charged_back > ZERO else Status.PAID,
        credited=top_up.amount,
        taken_back=top_up.charged_back,
        charged_back=top_up.charged_back,
        charged_back_minor_units=top_up.charged_back_minor_units,
    )


def _charge_back(top_up: TopUp, money: Price | None) -> Change | None:
    """Never more than the top-up over all its chargebacks; parts in proportion to the price."""
    price = top_up.price.minor_units
    left = price - top_up.charged_back_minor_units
    is_comparable = money is not None and money.currency == top_up.price.currency
    taken = min(money.minor_units, left) if money is not None and is_comparable else left
    minor_units = top_up.charged_back_minor_units + taken
    total = top_up.amount
    if minor_units < price:
        total = Credits(-(-top_up.amount.microcredits * minor_units // price))
    if taken < 0 or total <= top_up.charged_back:
        return None
    return Change(
        Status.CHARGED_BACK,
        taken_back=total - top_up.charged_back if top_up.paid_at is not None else ZERO,
        charged_back=total,
        charged_back_minor_units=minor_units,
    )


def share(debts: list[Debt], available: Credits) -> list[tuple[Debt, Credits]]:
    """How much of each debt so many credits pay, in the order given."""
    shares = []
    for debt in debts:
        part = min(debt.owed, available)
        if part > ZERO:
            shares.append((debt, part))
            available -= part
    return shares
