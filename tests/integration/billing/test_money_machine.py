"""Whatever is done with money in whatever order, PostgreSQL and a bank in memory agree."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.api_keys.values import Period
from billing.charges import Charge
from billing.credits import ZERO, Credits
from billing.grants.actions import Gift
from billing.grants.feed import settle_feed
from billing.grants.settling import catch_up
from billing.holds.values import Hold
from billing.reconcile import reconcile
from billing.refunds.values import NewRefund
from billing.top_ups.values import EventKind, PaymentEvent, Price, Status, TopUp
from tests.charges import make_charge
from tests.support.bank.book import Book, total
from tests.support.bank.both import Both
from tests.support.bank.comparing import fetch_settled
from tests.support.bank.world import World

pytestmark = pytest.mark.integration

IS_DEEP = os.environ.get("FAREBOX_TEST_DEEP") == "1"
START = datetime(2030, 1, 28, 22, tzinfo=UTC)
"""Two hours before a day ends, some days before a month does."""

NAMESPACE = uuid.UUID(int=7)
# Microcredits, and few: credits run out, grants tie, and parts are of one microcredit.
small = st.integers(1, 8).map(Credits)
picks = st.integers(0, 5)
"""Which of what was made before: 0 is the newest."""
books = st.sampled_from([0, 0, 0, 1])
some_or_all = st.none() | st.sampled_from([1, 1, 2, 3, 5]).map(Credits)
pauses = st.sampled_from([0, 0, 0, 24, 30])
"""Hours that pass before."""
moneys = st.none() | st.integers(0, 10)
gifts = st.tuples(
    books, small, st.sampled_from([50, 50, 0, 99]), st.none() | st.sampled_from([1, 1, 2, 4])
)
sales = st.tuples(books, small, st.integers(0, 10))
jobs = st.tuples(books, st.sampled_from([-1, -2, 0, 1, 2, 3, 5]), st.sampled_from([1, 24, 100]))
"""Whose, how much (or all but so much), and for how many hours."""
caps = st.dictionaries(st.sampled_from(Period), st.integers(0, 12).map(Credits), max_size=2)
requests = st.fixed_dictionaries(
    {
        "book": books,
        "key": st.none() | picks,
        "amount": st.sampled_from([None, 0, 1, 2, 3, 4, 5]),
        "again": st.none() | st.none() | st.none() | picks,
        "body": st.sampled_from([b"one", b"one", b"two"]),
    }
)
batches = st.lists(requests, min_size=1, max_size=4)


class MoneyMachine(RuleBasedStateMachine):
    """Each rule does one thing in both; after each step both are compared."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.both = Both(self.world, START)
        self.bank = self.both.bank
        self.made = 0
        self.books: list[Book] = []
        self.keys: list[tuple[Book, str]] = []
        self.gifts: list[Gift] = []
        self.adjustments: list[tuple[Book, uuid.UUID, Credits]] = []
        self.top_ups: list[TopUp] = []
        self.events: list[PaymentEvent] = []
        self.charges: list[Charge] = []
        self.refunds: list[NewRefund] = []
        self.holds: list[Hold] = []

    def new_id(self) -> uuid.UUID:
        self.made += 1
        return uuid.uuid5(NAMESPACE, str(self.made))

    @initialize(
        given=st.lists(gifts, max_size=3),
        sold=st.lists(sales, max_size=3),
        owed=st.lists(sales, max_size=2),
        held=st.lists(jobs, max_size=2),
        capped=caps,
        batch=batches,
    )
    def open(
        self,
        *,
        given: list[Any],
        sold: list[Any],
        owed: list[Any],
        held: list[Any],
        capped: dict[Period, Credits],
        batch: list[Any],
    ) -> None:
        """Two accounts that something has happened to: the rest is seldom seen otherwise."""
        for number in range(2):
            self.sign_up(number)
        self.keys.append((self.books[0], self.both.make_key(self.books[0], self.new_id(), capped)))
        for sale in owed:
            self.sell(sale)
        for _ in owed:
            self.charge_back(0, None, spends_first=True)
        for gift in given:
            self.give(gift)
        for sale in sold:
            self.sell(sale)
        for job in held:
            self.reserve(job)
        self.charge(batch)

    # Credits come in

    @rule(number=st.integers(0, 2))
    def sign_up(self, number: int) -> None:
        book = self.both.sign_up(f"person{number}@example.com")
        self.books += [book] if book else []

    @rule(gift=gifts)
    def give(self, gift: tuple[int, Credits, int, int | None]) -> None:
        book, amount, priority, days = gift
        expires_at = None if days is None else self.both.now + timedelta(days=days)
        account_id = pick(self.books, book).account_id
        self.gifts.append(Gift(self.new_id(), account_id, amount, "gift", priority, expires_at))
        self.both.give(self.gifts[-1])

    @rule(sale=sales, is_paid=st.sampled_from([True, True, True, False]))
    def sell(self, sale: tuple[int, Credits, int], is_paid: bool = True) -> None:
        book, amount, price = sale
        cost = Price(price, "usd")
        account_id = pick(self.books, book).account_id
        top_up = TopUp(self.new_id(), account_id, "test", amount, cost, self.both.now)
        self.top_ups.append(top_up)
        self.both.begin(top_up)
        if is_paid:
            self.webhook(0, EventKind.PAID, None)

    @precondition(lambda self: self.top_ups)
    @rule(top_up=picks, kind=st.sampled_from(EventKind), money=moneys)
    def webhook(self, top_up: int, kind: EventKind, money: int | None) -> None:
        self.tell(pick(self.top_ups, top_up), kind, money)

    def tell(self, about: TopUp, kind: EventKind, money: int | None) -> None:
        told = None if money is None else Price(money, "usd")
        self.events.append(PaymentEvent("test", str(self.new_id()), kind, about.id, told))
        self.both.hear(self.events[-1])

    @precondition(lambda self: self.top_ups)
    @rule(top_up=picks, money=moneys, spends_first=st.booleans())
    def charge_back(self, top_up: int, money: int | None, spends_first: bool) -> None:
        """Of a top-up that was paid, if there is one."""
        paid = [t.id for t in self.bank.payments.top_ups if t.status is Status.PAID]
        wanted = [t for t in self.top_ups if t.id in paid] or self.top_ups
        about = pick(wanted, top_up)
        if spends_first:
            self.spend(self.bank.books[about.account_id])
        self.tell(about, EventKind.CHARGED_BACK, money)

    @rule(book=books, amount=st.integers(-12, 6).filter(bool).map(Credits))
    def adjust(self, book: int, amount: Credits) -> None:
        self.adjustments.append((pick(self.books, book), self.new_id(), amount))
        self.both.adjust(*self.adjustments[-1])

    # They are spent, and come back

    @rule(batch=batches, pause=pauses)
    def charge(self, batch: list[dict[str, Any]], pause: int = 0) -> None:
        self.both.wait(timedelta(hours=pause))
        charges = [self._make_charge(**request) for request in batch]
        self.both.charge(charges)
        self.charges += charges

    def spend(self, book: Book) -> None:
        """All that is available."""
        charge = make_charge(book.account_id, charge_id=self.new_id())
        self.charges.append(charge._replace(amount=book.available))
        self.both.charge([self.charges[-1]])

    def _make_charge(
        self, book: int, key: int | None, amount: int | None, again: int | None, body: bytes
    ) -> Charge:
        """No amount: all that is available."""
        payer, key_id = pick(self.books, book), "key"
        if key is not None:
            payer, key_id = pick(self.keys, key)
        new = make_charge(payer.account_id, charge_id=self.new_id(), key_id=key_id, body=body)
        new = new._replace(amount=payer.available if amount is None else Credits(amount))
        if again is None or not self.charges:
            return new
        before = pick(self.charges, again)
        if body == b"one":
            return before
        # The same id with another body, by this account or by another.
        digest = hashlib.sha256(body).digest()
        return new._replace(charge_id=before.charge_id, body_sha256=digest)

    @rule(charge=picks, amount=some_or_all, pause=pauses)
    def refund(self, charge: int, amount: Credits | None, pause: int) -> None:
        self.both.wait(timedelta(hours=pause))
        known = [paid.charge.charge_id for paid in self.bank.paid] or [self.new_id()]
        request = NewRefund(self.new_id(), pick(known, charge), amount, "refund")
        self.refunds.append(request)
        self.both.refund(request)

    @rule(job=jobs)
    def reserve(self, job: tuple[int, int, int]) -> None:
        book, microcredits, hours = job
        holder, now = pick(self.books, book), self.both.now
        amount = Credits(microcredits)
        if amount <= ZERO:
            amount = max(holder.available + amount, Credits(1))
        expires_at = now + timedelta(hours=hours)
        hold = Hold(self.new_id(), holder.account_id, amount, "job", now, expires_at)
        if self.both.reserve(hold) is False:
            self.holds.append(hold)

    @precondition(lambda self: self.holds)
    @rule(
        hold=picks,
        amount=some_or_all,
        is_captured=st.sampled_from([True, True, False]),
        pause=pauses,
    )
    def end_hold(self, hold: int, amount: Credits | None, is_captured: bool, pause: int) -> None:
        self.both.wait(timedelta(hours=pause))
        hold_id = pick(self.holds, hold).id
        if is_captured:
            self.both.capture(hold_id, amount)
        else:
            self.both.release(hold_id)

    # What keys may spend

    @rule(book=books, capped=caps, rotated=st.none() | picks)
    def make_key(self, book: int, capped: dict[Period, Credits], rotated: int | None) -> None:
        owner = pick(self.books, book)
        if rotated is None:
            self.keys.append((owner, self.both.make_key(owner, self.new_id(), capped)))
            return
        owner, key_id = pick(self.keys, rotated)
        lineages = list(self.bank.caps.lineages.values())
        if lineages.count(self.bank.caps.lineages[key_id]) == 1:
            self.keys.append((owner, self.both.rotate_key(owner, key_id, self.new_id())))

    @rule(key=picks, period=st.sampled_from(Period), cap=st.none() | st.integers(0, 12))
    def change_cap(self, key: int, period: Period, cap: int | None) -> None:
        self.both.change_cap(*pick(self.keys, key), period, None if cap is None else Credits(cap))

    # The same is asked again, changed or not

    @rule(
        what=st.sampled_from(
            ["gifts", "adjustments", "top_ups", "events", "events", "refunds", "holds"]
        ),
        place=picks,
        more=st.sampled_from([0, 0, 1]).map(Credits),
    )
    def again(self, what: str, place: int, more: Credits) -> None:
        before = getattr(self, what)
        if not before:
            return
        wanted = pick(before, place)
        if what == "events":
            self.both.hear(wanted)
        elif what == "adjustments":
            self.both.adjust(*wanted[:2], wanted[2] + more)
        else:
            amount = None if wanted.amount is None else wanted.amount + more
            ask = {"gifts": "give", "top_ups": "begin", "refunds": "refund", "holds": "reserve"}
            getattr(self.both, ask[what])(replace(wanted, amount=amount))

    # Time, and the chores that follow it

    @rule(
        hours=st.sampled_from([1, 24, 30, 24 * 20]),
        job=st.none() | jobs,
        expires_holds=st.booleans(),
        expires_grants=st.sampled_from([True, True, False]),
    )
    def wait(self, hours: int, job: Any, expires_holds: bool, expires_grants: bool) -> None:
        """With something held meanwhile."""
        if job is not None:
            self.reserve(job)
        self.both.wait(timedelta(hours=hours))
        if expires_grants:
            self.both.expire_grants()
        if expires_holds:
            self.both.expire_holds()

    @rule(gift=gifts, left=st.integers(-3, 0))
    def expire_beside_a_hold(self, gift: tuple[int, Credits, int, int | None], left: int) -> None:
        """A grant that expires while all but a little is held."""
        book, amount, priority, _ = gift
        self.give((book, amount, priority, 1))
        self.reserve((book, left, 100))
        self.wait(24, None, expires_holds=False, expires_grants=True)

    @rule(entries_max=st.integers(1, 5), book=books, all_of_it=st.booleans())
    def settle(self, entries_max: int, book: int, all_of_it: bool) -> None:
        if not all_of_it:
            self.world.run(settle_feed(self.world.database, entries_max))
            return
        settled = catch_up(self.world.database, pick(self.books, book).account_id)
        assert self.world.run(settled)

    @rule(book=books, entry=st.integers(0, 20))
    def trace(self, book: int, entry: int) -> None:
        wanted = pick(self.books, book)
        self.both.trace(wanted, pick(wanted.entries, entry))

    @invariant()
    def both_agree(self) -> None:
        self.both.compare()

    def teardown(self) -> None:
        for book in self.books:
            assert self.world.run(catch_up(self.world.database, book.account_id))
            assert total(book.remaining(grant) for grant in book.grants) == book.posted >= ZERO
        settled = fetch_settled(self.world, self.bank)
        assert settled == {book.account_id: len(book.entries) for book in self.books}
        self.both.compare()
        assert self.world.run(reconcile(self.world.database)).breaches == ()


def pick(items: list[Any], place: int) -> Any:
    """The newest is 0; past the oldest it begins again."""
    return items[-1 - place % len(items)]


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    opened = World(database_url)
    yield opened
    opened.close()


@pytest.mark.timeout(7200 if IS_DEEP else 180)
def test_ledger_and_bank_agree(world: World) -> None:
    class Machine(MoneyMachine):
        pass

    Machine.world = world
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=2000 if IS_DEEP else 100,
            stateful_step_count=50 if IS_DEEP else 30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
