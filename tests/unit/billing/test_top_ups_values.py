"""Prices of top-ups, and what a provider's events do to one."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.credits import ZERO, Credits
from billing.top_ups.values import (
    Change,
    Debt,
    EventKind,
    PaymentEvent,
    Price,
    Status,
    TopUp,
    change_by,
    is_short,
    price_of,
    share,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOP_UP = TopUp(uuid.uuid4(), uuid.uuid4(), "test", Credits(10_000_000), Price(1000, "usd"), NOW)
_numbers = itertools.count()


def event(kind: EventKind, money: Price | None = None) -> PaymentEvent:
    return PaymentEvent("test", f"event {next(_numbers)}", kind, TOP_UP.id, money)


def follow(top_up: TopUp, change: Change | None) -> TopUp:
    """The top-up after the change, as the database would have it."""
    if change is None:
        return top_up
    return replace(
        top_up,
        status=change.status,
        paid_at=NOW if change.credited > ZERO else top_up.paid_at,
        charged_back=change.charged_back,
        charged_back_minor_units=change.charged_back_minor_units,
    )


@pytest.mark.parametrize(
    ("amount", "credit_price", "minor_units"),
    [
        ("1", "1", 1),
        ("0.000001", "1", 1),
        ("100", "0.5", 50),
        ("3", "0.333333", 1),
        ("4", "0.333333", 2),
        ("999999999", "0.1", 100_000_000),
    ],
)
def test_a_price_is_exact_and_rounded_up(amount: str, credit_price: str, minor_units: int) -> None:
    price = price_of(Credits.parse(amount), Decimal(credit_price), "usd")
    assert price == Price(minor_units, "usd")


def test_pending_is_paid() -> None:
    assert change_by(TOP_UP, event(EventKind.PAID)) == Change(Status.PAID, credited=TOP_UP.amount)


def test_late_money_is_money() -> None:
    failed = follow(TOP_UP, change_by(TOP_UP, event(EventKind.FAILED)))
    assert failed.status is Status.FAILED
    assert follow(failed, change_by(failed, event(EventKind.PAID))).status is Status.PAID


def test_paid_does_not_fail_and_is_not_paid_again() -> None:
    paid = follow(TOP_UP, change_by(TOP_UP, event(EventKind.PAID)))
    assert change_by(paid, event(EventKind.FAILED)) is None
    assert change_by(paid, event(EventKind.PAID)) is None


def test_payment_after_its_whole_chargeback_changes_nothing() -> None:
    early = change_by(TOP_UP, event(EventKind.CHARGED_BACK))
    assert early is not None
    assert (early.credited, early.taken_back) == (ZERO, ZERO)
    assert change_by(follow(TOP_UP, early), event(EventKind.PAID)) is None


def test_payment_after_a_part_was_charged_back_brings_the_rest() -> None:
    early = follow(TOP_UP, change_by(TOP_UP, event(EventKind.CHARGED_BACK, Price(250, "usd"))))
    paid = change_by(early, event(EventKind.PAID))
    assert paid is not None
    assert (paid.status, paid.credited, paid.taken_back) == (
        Status.CHARGED_BACK,
        Credits(10_000_000),
        Credits(2_500_000),
    )


def test_a_chargeback_in_another_currency_takes_all() -> None:
    paid = follow(TOP_UP, change_by(TOP_UP, event(EventKind.PAID)))
    change = change_by(paid, event(EventKind.CHARGED_BACK, Price(1, "jpy")))
    assert change is not None
    assert change.taken_back == TOP_UP.amount


def test_a_chargeback_of_nothing_changes_nothing() -> None:
    paid = follow(TOP_UP, change_by(TOP_UP, event(EventKind.PAID)))
    assert change_by(paid, event(EventKind.CHARGED_BACK, Price(0, "usd"))) is None
    assert change_by(paid, event(EventKind.CHARGED_BACK, Price(-5, "usd"))) is None


def test_less_than_the_price_in_its_currency_is_short() -> None:
    assert is_short(TOP_UP, Price(999, "usd"))
    assert not is_short(TOP_UP, Price(1000, "usd"))
    assert not is_short(TOP_UP, Price(900, "eur"))
    assert not is_short(TOP_UP, None)


MONEY = st.none() | st.builds(Price, st.integers(-10, 3_000), st.sampled_from(["usd", "eur"]))


@given(
    st.lists(st.tuples(st.sampled_from(EventKind), MONEY), max_size=12),
    st.integers(1, 10**12),
    st.integers(1, 2_000),
)
def test_over_any_events_credits_come_in_once_and_never_more_leave(
    events: list[tuple[EventKind, Price | None]], microcredits: int, minor_units: int
) -> None:
    top_up = replace(TOP_UP, amount=Credits(microcredits), price=Price(minor_units, "usd"))
    came, left = ZERO, ZERO
    for kind, money in events:
        before = top_up.charged_back
        change = change_by(top_up, event(kind, money))
        top_up = follow(top_up, change)
        if change is not None:
            came += change.credited
            left += change.taken_back
        assert before <= top_up.charged_back <= top_up.amount
        assert 0 <= top_up.charged_back_minor_units <= minor_units
        assert (top_up.status is Status.CHARGED_BACK) == (top_up.charged_back > ZERO)
        assert came == (top_up.amount if top_up.paid_at else ZERO)
        assert left == (top_up.charged_back if top_up.paid_at else ZERO)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50))), st.integers(0, 500))
def test_debts_are_paid_in_order_as_far_as_it_goes(
    amounts: list[tuple[int, int]], available: int
) -> None:
    debts = [
        Debt(uuid.uuid4(), Credits(amount), Credits(min(repaid, amount)), NOW)
        for amount, repaid in amounts
    ]
    shares = share(debts, Credits(available))
    owed = sum(debt.owed.microcredits for debt in debts)
    assert sum(part.microcredits for _, part in shares) == min(available, owed)
    assert all(ZERO < part <= debt.owed for debt, part in shares)
    assert all(part == debt.owed for debt, part in shares[:-1])
    order = [debts.index(debt) for debt, _ in shares]
    assert order == sorted(order)
