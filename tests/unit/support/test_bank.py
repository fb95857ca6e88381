"""The bank that the ledger is compared with does what the definitions say."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from billing.api_keys.values import Period
from billing.charges import (
    Charge,
    Charged,
    ChargeRejected,
    InsufficientCredits,
    KeyConflict,
    Replayed,
    SpendingCapReached,
)
from billing.credits import ZERO, Credits
from billing.holds.values import Status as HoldStatus
from billing.posting import Kind
from billing.top_ups.values import EventKind, Status
from tests.charges import make_charge
from tests.support.bank.bank import Bank
from tests.support.bank.book import Book, Part
from tests.support.bank.errors import Refused
from tests.support.bank.payments import TopUp

NOW = datetime(2030, 1, 30, 22, tzinfo=UTC)
DAY = timedelta(days=1)
GRACE = timedelta(days=3)


@pytest.fixture
def bank() -> Bank:
    return Bank(NOW, welcome=Credits(5), grace=GRACE)


@pytest.fixture
def anna(bank: Bank) -> Book:
    return bank.sign_up("anna@example.com", uuid.uuid4(), uuid.UUID(int=1))


def make(book: Book, amount: int, **changes: object) -> Charge:
    made = make_charge(book.account_id)._replace(amount=Credits(amount))
    return made._replace(**changes)  # type: ignore[arg-type]


def charge(bank: Bank, book: Book, amount: int, **changes: object) -> Charge:
    wanted = make(book, amount, **changes)
    [outcome] = bank.charge([wanted])
    assert isinstance(outcome, Charged)
    return wanted


def give(
    bank: Bank, book: Book, number: int, amount: int, *, priority: int = 50, days: int | None = None
) -> None:
    expires_at = None if days is None else bank.now + days * DAY
    bank.give(book, Part(Credits(amount), priority, expires_at, uuid.UUID(int=number)))


def begin(bank: Bank, book: Book, amount: int, price: int = 10) -> TopUp:
    bank.payments.begin(uuid.uuid4(), book, Credits(amount), price)
    return bank.payments.top_ups[-1]


def tell(bank: Bank, top_up: TopUp, kind: EventKind, money: int | None = None) -> None:
    bank.payments.hear(str(uuid.uuid4()), top_up, kind, money)


def paid_by(book: Book) -> list[tuple[int, int]]:
    """Numbers of the grants that paid the last entry, and how much."""
    return [(grant.id.int, amount.microcredits) for grant, amount in book.entries[-1].uses]


def kinds(book: Book) -> list[tuple[Kind, int]]:
    return [(entry.kind, entry.amount.microcredits) for entry in book.entries]


def test_grants_burn_by_priority_then_expiry_then_id(bank: Bank, anna: Book) -> None:
    give(bank, anna, 6, 1, days=2)
    give(bank, anna, 3, 1)
    give(bank, anna, 2, 1)
    give(bank, anna, 4, 1, days=1)
    give(bank, anna, 5, 1, priority=0)
    charge(bank, anna, 10)
    assert [number for number, _ in paid_by(anna)] == [5, 4, 6, 1, 2, 3]


def test_what_expired_can_be_spent_until_it_is_taken_out(bank: Bank, anna: Book) -> None:
    give(bank, anna, 2, 4, days=1)
    bank.now += DAY
    charge(bank, anna, 1)
    bank.expire_grants()
    bank.expire_grants()
    assert kinds(anna)[2:] == [(Kind.CHARGE, -1), (Kind.EXPIRY, -3)]
    assert anna.posted == Credits(5)


def test_what_is_held_does_not_expire(bank: Bank, anna: Book) -> None:
    give(bank, anna, 2, 4, days=1)
    bank.holds.reserve(uuid.uuid4(), anna, Credits(7), 2 * DAY, NOW)
    bank.now += DAY
    bank.expire_grants()
    assert anna.available == ZERO
    assert kinds(anna)[2:] == [(Kind.EXPIRY, -2)]
    bank.holds.release(bank.holds.holds[0])
    bank.expire_grants()
    assert kinds(anna)[3:] == [(Kind.EXPIRY, -2)]


def test_refund_goes_back_in_reverse_and_never_above_the_charge(bank: Bank, anna: Book) -> None:
    give(bank, anna, 2, 4, priority=0, days=1)
    charged = charge(bank, anna, 6).charge_id
    bank.now += DAY
    bank.refund(uuid.uuid4(), charged, Credits(3), "late")
    back = [(g.priority, g.expires_at, g.amount.microcredits) for g in anna.grants[2:]]
    assert back == [(50, None, 2), (0, bank.now + GRACE, 1)]
    with pytest.raises(Refused, match="refund_exceeds_charge"):
        bank.refund(uuid.uuid4(), charged, Credits(4), "more")
    bank.refund(uuid.uuid4(), charged, None, "the rest")
    assert anna.posted == Credits(9)
    with pytest.raises(Refused, match="refund_exceeds_charge"):
        bank.refund(uuid.uuid4(), charged, None, "more")


def test_charges_are_taken_in_order_and_replayed(bank: Bank, anna: Book) -> None:
    first, second = make(anna, 4), make(anna, 2)
    other = bank.sign_up("boris@example.com", uuid.uuid4(), uuid.UUID(int=9))
    forged = first._replace(account_id=other.account_id)
    outcomes = bank.charge([first, second, first, first._replace(body_sha256=b"x"), forged])
    assert [type(outcome) for outcome in outcomes] == [
        Charged,
        InsufficientCredits,
        Replayed,
        KeyConflict,
        ChargeRejected,
    ]
    assert anna.posted == Credits(1)


def test_caps_count_by_utc_day_month_and_lineage(bank: Bank, anna: Book) -> None:
    bank.caps.add_key("old", {Period.DAY: Credits(2), Period.MONTH: Credits(3)})
    bank.caps.rotate("old", "new")
    charge(bank, anna, 1, key_id="old")
    charge(bank, anna, 1, key_id="new")
    wanted = make(anna, 1, key_id="old")
    assert bank.charge([wanted]) == [SpendingCapReached(wanted.charge_id, wanted.amount, ZERO)]
    assert bank.caps.left("new", NOW + timedelta(hours=2)) == Credits(1)
    assert bank.caps.left("new", NOW + 2 * DAY) == Credits(2)
    bank.caps.change("new", Period.DAY, None)
    assert bank.caps.left("old", NOW) == Credits(1)
    bank.caps.change("new", Period.MONTH, Credits(1))
    assert bank.caps.left("old", NOW) == ZERO


def test_paid_counts_once_and_late_money_is_money(bank: Bank, anna: Book) -> None:
    top_up = begin(bank, anna, 7)
    with pytest.raises(Refused, match="payment_mismatch"):
        tell(bank, top_up, EventKind.PAID, 9)
    for kind in (EventKind.FAILED, EventKind.PAID, EventKind.PAID, EventKind.FAILED):
        tell(bank, top_up, kind)
    assert top_up.status is Status.PAID
    assert anna.posted == Credits(12)


def test_charged_back_before_it_was_paid_brings_nothing(bank: Bank, anna: Book) -> None:
    top_up = begin(bank, anna, 7)
    tell(bank, top_up, EventKind.CHARGED_BACK)
    tell(bank, top_up, EventKind.PAID)
    assert top_up.status is Status.CHARGED_BACK
    assert anna.posted == Credits(5)


def test_chargeback_takes_its_own_first_and_the_rest_is_owed(bank: Bank, anna: Book) -> None:
    top_up = begin(bank, anna, 7)
    tell(bank, top_up, EventKind.PAID)
    anna.grants[1].id = uuid.UUID(int=2)
    charge(bank, anna, 8)
    tell(bank, top_up, EventKind.CHARGED_BACK, 4)
    assert paid_by(anna) == [(2, 3)]
    tell(bank, top_up, EventKind.CHARGED_BACK, 9)
    assert kinds(anna)[3:] == [(Kind.ADJUSTMENT, -3), (Kind.ADJUSTMENT, -1)]
    assert [(debt.amount, debt.repaid) for debt in bank.payments.debts] == [(Credits(3), ZERO)]


def test_next_top_up_repays_the_oldest_debt_first(bank: Bank, anna: Book) -> None:
    top_ups = [begin(bank, anna, amount) for amount in (2, 4)]
    for top_up in top_ups:
        tell(bank, top_up, EventKind.PAID)
    charge(bank, anna, 11)
    for top_up in top_ups:
        tell(bank, top_up, EventKind.CHARGED_BACK)
    tell(bank, begin(bank, anna, 3), EventKind.PAID)
    assert kinds(anna)[-3:] == [
        (Kind.TOP_UP, 3),
        (Kind.ADJUSTMENT, -2),
        (Kind.ADJUSTMENT, -1),
    ]
    assert [debt.repaid for debt in bank.payments.debts] == [Credits(2), Credits(1)]


def test_hold_ends_once(bank: Bank, anna: Book) -> None:
    with pytest.raises(Refused, match="credits_missing"):
        bank.holds.reserve(uuid.uuid4(), anna, Credits(6), DAY, NOW)
    for _ in range(2):
        bank.holds.reserve(uuid.uuid4(), anna, Credits(2), DAY, NOW)
    captured, expired = bank.holds.holds
    with pytest.raises(Refused, match="capture_too_large"):
        bank.holds.capture(captured, Credits(3), NOW)
    for _ in range(2):
        bank.holds.capture(captured, Credits(1), NOW)
    with pytest.raises(Refused, match="hold_resolved"):
        bank.holds.release(captured)
    with pytest.raises(Refused, match="hold_expired"):
        bank.holds.capture(expired, None, NOW + DAY)
    bank.holds.expire(NOW + DAY)
    assert expired.status is HoldStatus.EXPIRED
    assert (anna.posted, anna.held) == (Credits(4), ZERO)
