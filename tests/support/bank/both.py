"""Do a thing to the ledger and to the bank, and see that it ends the same."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from billing.api_keys.actions import change_key, make_key, rotate_key
from billing.api_keys.values import KeyChanges, NewKey, Period
from billing.audit.actions import COMMAND_LINE
from billing.charges import Charge
from billing.credits import Credits
from billing.database import Database
from billing.grants.actions import Gift, adjust_balance, give_grant
from billing.grants.expiring import expire_grants
from billing.grants.queries import fetch_entry_uses
from billing.holds.actions import capture, expire_holds, release, reserve
from billing.holds.values import Hold
from billing.keys import make_key_id
from billing.ledger import PostgresLedger
from billing.refunds.actions import refund_prediction
from billing.refunds.values import NewRefund
from billing.top_ups.actions import apply_event, begin_top_up
from billing.top_ups.values import PaymentEvent, TopUp
from billing.users.signing_up import create_user
from billing.users.values import User, Welcome
from tests.support.bank.bank import Bank
from tests.support.bank.book import Book, Entry, Part
from tests.support.bank.comparing import (
    Standing,
    check_invariants,
    fetch_settled,
    read_bank,
    read_world,
    tell_ids,
)
from tests.support.bank.errors import Refused
from tests.support.bank.world import World

WELCOME = Credits(5)
GRACE = timedelta(days=3)
_LIVE_KEYS_MAX = 100


class Both:
    """The ledger in PostgreSQL and the bank in memory, emptied."""

    def __init__(self, world: World, now: datetime) -> None:
        world.empty()
        self.world = world
        self.bank = Bank(now, welcome=WELCOME, grace=GRACE)
        self.wait(timedelta())
        self._ledger = PostgresLedger(world.database)

    @property
    def _database(self) -> Database:
        return self.world.database

    @property
    def now(self) -> datetime:
        return self.bank.now

    def wait(self, time: timedelta) -> None:
        self.bank.now += time
        self.world.set_clock(self.bank.now)

    def compare(self) -> None:
        """All that stands in either, and what must always hold."""
        tell_ids(self.world, self.bank)
        standing = read_world(self.world, self.now)
        check_invariants(standing)
        expected = read_bank(self.bank, fetch_settled(self.world, self.bank))
        for what in fields(Standing):
            assert getattr(standing, what.name) == getattr(expected, what.name), what.name

    def sign_up(self, email: str) -> Book | None:
        """The new account; None where the address was taken."""
        welcome = Welcome(WELCOME, None, b"k" * 32)
        signing_up = create_user(
            self._database, email, "no password", welcome=welcome, links=None, now=self.now
        )
        user = self.world.attempt(signing_up)
        is_taken = email in self.bank.emails
        assert user == "email_taken" if is_taken else isinstance(user, User)
        if not isinstance(user, User):
            return None
        query = "SELECT id FROM grants WHERE account_id = $1"
        return self.bank.sign_up(
            email, user.account_id, self.world.fetch_one_id(query, user.account_id)
        )

    def make_key(self, book: Book, request_id: uuid.UUID, caps: Mapping[Period, Credits]) -> str:
        """The id of a new key."""
        making = make_key(
            self._database,
            self.world.settings.key_hash_secret,
            book.account_id,
            request_id,
            NewKey("key", caps=caps),
            live_keys_max=_LIVE_KEYS_MAX,
            now=self.now,
        )
        key_id = self.world.run(making).id
        self.bank.caps.add_key(key_id, caps)
        return key_id

    def rotate_key(self, book: Book, key_id: str, request_id: uuid.UUID) -> str:
        """The id of the second key."""
        rotating = rotate_key(
            self._database,
            self.world.settings.key_hash_secret,
            book.account_id,
            key_id,
            request_id,
            live_keys_max=_LIVE_KEYS_MAX,
            now=self.now,
        )
        self.world.run(rotating)
        self.bank.caps.rotate(key_id, make_key_id(request_id))
        return make_key_id(request_id)

    def change_cap(self, book: Book, key_id: str, period: Period, cap: Credits | None) -> None:
        changes = KeyChanges(caps={period: cap})
        self.world.run(change_key(self._database, book.account_id, key_id, changes, self.now))
        self.bank.caps.change(key_id, period, cap)

    def give(self, gift: Gift) -> object:
        part = Part(gift.amount, gift.priority, gift.expires_at, gift.id)
        return self._do(
            _is_replay(give_grant(self._database, COMMAND_LINE, gift)),
            lambda: self.bank.give(self.bank.books[gift.account_id], part),
        )

    def adjust(self, book: Book, adjustment_id: uuid.UUID, amount: Credits) -> object:
        adjusting = adjust_balance(
            self._database,
            COMMAND_LINE,
            book.account_id,
            adjustment_id=adjustment_id,
            amount=amount,
            reason="by hand",
        )
        return self._do(
            _is_replay(adjusting), lambda: self.bank.adjust(book, adjustment_id, amount)
        )

    def begin(self, new: TopUp) -> object:
        book, price = self.bank.books[new.account_id], new.price.minor_units
        return self._do(
            _second(begin_top_up(self._database, new)),
            lambda: self.bank.payments.begin(new.id, book, new.amount, price),
        )

    def hear(self, event: PaymentEvent) -> object:
        [top_up] = [t for t in self.bank.payments.top_ups if t.id == event.top_up_id]
        money = None if event.money is None else event.money.minor_units
        return self._do(
            _nothing(apply_event(self._database, event, self.now)),
            lambda: self.bank.payments.hear(event.event_id, top_up, event.kind, money),
        )

    def charge(self, charges: list[Charge]) -> object:
        return self._do(self._ledger.charge(charges), lambda: self.bank.charge(charges))

    def refund(self, request: NewRefund) -> object:
        refunding = refund_prediction(
            self._database, COMMAND_LINE, request, now=self.now, grace=GRACE
        )
        return self._do(
            _is_replay(refunding),
            lambda: self.bank.refund(request.id, request.charge_id, request.amount, request.reason),
        )

    def reserve(self, new: Hold) -> object:
        book, lifetime = self.bank.books[new.account_id], new.expires_at - new.created_at
        new = replace(new, created_at=self.now, expires_at=self.now + lifetime)
        return self._do(
            _second(reserve(self._database, new)),
            lambda: self.bank.holds.reserve(new.id, book, new.amount, lifetime, self.now),
        )

    def capture(self, hold_id: uuid.UUID, amount: Credits | None) -> object:
        hold = self.bank.holds.find(hold_id)
        account_id = hold.book.account_id
        return self._do(
            _nothing(capture(self._database, account_id, hold_id, amount, self.now)),
            lambda: self.bank.holds.capture(hold, amount, self.now),
        )

    def release(self, hold_id: uuid.UUID) -> object:
        hold = self.bank.holds.find(hold_id)
        return self._do(
            _nothing(release(self._database, hold.book.account_id, hold_id, self.now)),
            lambda: self.bank.holds.release(hold),
        )

    def expire_holds(self) -> None:
        assert not self.world.run(expire_holds(self._database, self.now))
        self.bank.holds.expire(self.now)

    def expire_grants(self) -> None:
        assert not self.world.run(expire_grants(self._database, self.now))
        self.bank.expire_grants()

    def trace(self, book: Book, entry: Entry) -> None:
        """Which grants paid the entry, as anybody may ask."""
        found = self.world.run(fetch_entry_uses(self._database, book.account_id, entry.sequence))
        settled = fetch_settled(self.world, self.bank)[book.account_id]
        assert found.is_settled == (settled >= entry.sequence)
        if found.is_settled:
            in_order = sorted(entry.uses, key=lambda use: use[0].rank)
            expected = [(grant.id, amount) for grant, amount in in_order]
            assert [(use.grant_id, use.amount) for use in found.uses] == expected

    def _do(self, real: Coroutine[Any, Any, object], ideal: Callable[[], object]) -> object:
        actual = self.world.attempt(real)
        try:
            expected = ideal()
        except Refused as error:
            expected = error.code
        assert actual == expected
        return actual


async def _is_replay(made: Coroutine[Any, Any, Any]) -> bool:
    return bool((await made).is_replay)


async def _second(pair: Coroutine[Any, Any, tuple[object, bool]]) -> bool:
    return (await pair)[1]


async def _nothing(done: Coroutine[Any, Any, object]) -> None:
    await done
