"""Holds against PostgreSQL: each ends once, and nobody spends what is held."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.charges import Charged
from billing.credits import Credits
from billing.database import Database
from billing.errors import BillingError, CreditsMissing, IdempotencyConflict
from billing.history.queries import fetch_balance
from billing.holds.actions import capture, expire_holds, release, reserve
from billing.holds.errors import HoldExpired, HoldMissing, HoldResolved
from billing.holds.queries import fetch_hold, fetch_holds
from billing.holds.values import Hold, Status
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.settings import BillingSettings
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def new_hold(account_id: uuid.UUID, amount: str = "4") -> Hold:
    return Hold(uuid.uuid4(), account_id, Credits.parse(amount), "job", NOW, LATER)


@pytest.fixture
async def other_database(settings: BillingSettings) -> AsyncIterator[Database]:
    opened = Database(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def account(make_account: MakeAccount) -> uuid.UUID:
    """One with 10 credits."""
    return await make_account("10")


@pytest.fixture
async def hold(database: Database, account: uuid.UUID) -> Hold:
    """4 of the account's 10 credits."""
    made, _ = await reserve(database, new_hold(account))
    return made


async def check(database: Database, account: uuid.UUID, posted: str, held: str) -> None:
    """The account has so much, and every rule of the ledger holds."""
    balance = await fetch_balance(database, account)
    assert (str(balance.posted), str(balance.held)) == (posted, held)
    assert (await reconcile(database)).breaches == ()


async def test_held_credits_cannot_be_spent(
    database: Database, account: uuid.UUID, hold: Hold, ledger: PostgresLedger
) -> None:
    await check(database, account, "10", "4")
    [refused] = await ledger.charge([make_charge(account, "7")])
    assert not isinstance(refused, Charged)
    [charged] = await ledger.charge([make_charge(account, "6")])
    assert isinstance(charged, Charged)
    await check(database, account, "4", "4")


async def test_no_more_can_be_held_than_is_there(
    database: Database, account: uuid.UUID, hold: Hold
) -> None:
    refused = new_hold(account, "6.000001")
    with pytest.raises(CreditsMissing):
        await reserve(database, refused)
    assert await fetch_hold(database, account, refused.id) is None
    await check(database, account, "10", "4")


async def test_the_same_hold_again_holds_once(
    database: Database, account: uuid.UUID, hold: Hold
) -> None:
    later = replace(hold, created_at=LATER, expires_at=LATER + (hold.expires_at - hold.created_at))
    assert await reserve(database, later) == (hold, True)
    await check(database, account, "10", "4")
    with pytest.raises(IdempotencyConflict):
        await reserve(database, replace(hold, amount=Credits(1)))


async def test_a_capture_spends_all(database: Database, account: uuid.UUID, hold: Hold) -> None:
    captured = await capture(database, account, hold.id, None, NOW)
    assert (captured.status, captured.captured, captured.resolved_at) == (
        Status.CAPTURED,
        hold.amount,
        NOW,
    )
    await check(database, account, "6", "0")


async def test_a_capture_in_part_gives_the_rest_back(
    database: Database, account: uuid.UUID, hold: Hold
) -> None:
    await capture(database, account, hold.id, Credits.parse("1.5"), NOW)
    await check(database, account, "8.5", "0")


async def test_what_is_held_can_be_captured_when_nothing_else_is_left(
    database: Database, account: uuid.UUID, hold: Hold, ledger: PostgresLedger
) -> None:
    await ledger.charge([make_charge(account, "6")])
    await capture(database, account, hold.id, None, NOW)
    await check(database, account, "0", "0")


async def test_a_release_gives_all_back(database: Database, account: uuid.UUID, hold: Hold) -> None:
    await release(database, account, hold.id, NOW)
    await check(database, account, "10", "0")


async def test_a_hold_ends_once(database: Database, account: uuid.UUID, hold: Hold) -> None:
    first = await capture(database, account, hold.id, Credits.parse("2"), NOW)
    assert await capture(database, account, hold.id, Credits.parse("2"), LATER) == first
    with pytest.raises(HoldResolved):
        await capture(database, account, hold.id, None, NOW)
    with pytest.raises(HoldResolved):
        await release(database, account, hold.id, NOW)
    assert not await expire_holds(database, LATER)
    await check(database, account, "8", "0")


async def test_past_its_time_a_hold_is_not_captured_but_given_back(
    database: Database, account: uuid.UUID, hold: Hold
) -> None:
    with pytest.raises(HoldExpired):
        await capture(database, account, hold.id, None, LATER)
    await check(database, account, "10", "4")
    assert not await expire_holds(database, LATER)
    await check(database, account, "10", "0")
    expired = await fetch_hold(database, account, hold.id)
    assert expired is not None
    assert expired.status is Status.EXPIRED


async def test_holds_before_their_time_stay(
    database: Database, account: uuid.UUID, hold: Hold
) -> None:
    assert not await expire_holds(database, LATER - timedelta(microseconds=1))
    await check(database, account, "10", "4")


async def test_expiry_is_bounded_and_says_that_more_waits(
    database: Database, account: uuid.UUID
) -> None:
    for _ in range(3):
        await reserve(database, new_hold(account, "1"))
    assert await expire_holds(database, LATER, holds_max=2)
    await check(database, account, "10", "1")
    assert not await expire_holds(database, LATER, holds_max=2)
    await check(database, account, "10", "0")


async def test_another_accounts_hold_is_no_hold(
    database: Database, hold: Hold, make_account: MakeAccount
) -> None:
    stranger = await make_account("10")
    assert await fetch_hold(database, stranger, hold.id) is None
    assert await fetch_holds(database, stranger, after=None, limit=10) == []
    with pytest.raises(HoldMissing):
        await capture(database, stranger, hold.id, None, NOW)
    with pytest.raises(HoldMissing):
        await release(database, stranger, hold.id, NOW)


async def test_capture_release_and_expiry_at_once_end_a_hold_once(
    database: Database, other_database: Database, make_account: MakeAccount
) -> None:
    """Captured while it lasted, given back by a clock that is ahead: whoever is first."""
    account = await make_account("10")
    for number in range(10):
        hold, _ = await reserve(database, new_hold(account, "1"))
        ends = [
            capture(database, account, hold.id, None, NOW),
            release(other_database, account, hold.id, NOW),
            expire_holds(other_database, LATER),
            capture(other_database, account, hold.id, None, NOW),
            expire_holds(database, LATER),
        ]
        turned = ends[number % 5 :] + ends[: number % 5]
        outcomes = await asyncio.gather(*turned, return_exceptions=True)
        for outcome in outcomes:
            assert not isinstance(outcome, BaseException) or isinstance(
                outcome, HoldResolved | HoldExpired
            )
    captured = await fetch_holds(database, account, status=Status.CAPTURED, after=None, limit=100)
    await check(database, account, str(10 - len(captured)), "0")


async def test_the_same_hold_at_once_holds_once(
    database: Database, other_database: Database, account: uuid.UUID
) -> None:
    hold = new_hold(account, "6")
    made = await asyncio.gather(
        *(reserve(pool, hold) for pool in (database, other_database, database, other_database))
    )
    assert sorted(replayed for _, replayed in made) == [False, True, True, True]
    await check(database, account, "10", "6")


async def test_holds_and_charges_at_once_never_take_more_than_there_is(
    database: Database, other_database: Database, account: uuid.UUID
) -> None:
    other_ledger = PostgresLedger(other_database)

    async def hold_one() -> bool:
        try:
            await reserve(database, new_hold(account, "1"))
        except CreditsMissing:
            return False
        return True

    async def charge_one() -> bool:
        [outcome] = await other_ledger.charge([make_charge(account, "1")])
        return isinstance(outcome, Charged)

    holds, charges = [hold_one() for _ in range(10)], [charge_one() for _ in range(10)]
    results = await asyncio.gather(*holds, *charges, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(error, BillingError) for error in errors)
    held, charged = sum(map(bool, results[:10])), sum(map(bool, results[10:]))
    assert held + charged == 10
    await check(database, account, str(10 - charged), str(held))
