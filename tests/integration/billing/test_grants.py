"""Settlement and expiry in PostgreSQL: by hand, by the feed, cut anywhere, and in races."""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from billing.credits import Credits
from billing.database import Database
from billing.grants.adding import NewGrant, Origin, add_credits, add_grant
from billing.grants.expiring import expire_grants
from billing.grants.feed import settle_feed
from billing.grants.queries import fetch_uses
from billing.grants.settling import catch_up, settle, settle_to_head
from billing.ledger import PostgresLedger
from billing.posting import Kind, hold_credits, lock_balance, post_entry
from billing.reconcile import reconcile
from billing.settings import BillingSettings
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_NOW = datetime(2030, 1, 1, tzinfo=UTC)


async def _grant(database: Database, account_id: uuid.UUID, amount: str, **options: object) -> None:
    async with database.begin() as connection:
        await add_grant(
            connection,
            account_id,
            Credits.parse(amount),
            reason="test",
            **options,  # type: ignore[arg-type]
        )


async def _fetch_remaining(superuser: asyncpg.Connection) -> list[int]:
    """Of all grants in the order they came, in whole credits."""
    rows = await superuser.fetch(
        "SELECT remaining_microcredits / 1000000 AS left FROM grants ORDER BY sequence"
    )
    return [row["left"] for row in rows]


async def _fetch_all_uses(
    database: Database, superuser: asyncpg.Connection, account_id: uuid.UUID
) -> dict[int, list[tuple[int, int]]]:
    """By entry: the grants that paid, by their sequence, and how much."""
    rows = await superuser.fetch("SELECT id, sequence FROM grants")
    numbers = {row["id"]: row["sequence"] for row in rows}
    last = await superuser.fetchval(
        "SELECT sequence FROM balances WHERE account_id = $1", account_id
    )
    async with database.begin() as connection:
        return {
            sequence: [
                (numbers[use.grant_id], use.amount.microcredits)
                for use in await fetch_uses(connection, account_id, sequence)
            ]
            for sequence in range(1, last + 1)
        }


async def test_charges_are_paid_in_burn_down_order(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    account_id = await make_account("5")
    await _grant(database, account_id, "5", priority=100)
    await _grant(database, account_id, "5", expires_at=_NOW)
    await ledger.charge([make_charge(account_id, amount) for amount in ("4", "0", "7", "1")])
    assert await catch_up(database, account_id)
    assert await _fetch_remaining(superuser) == [0, 3, 0]
    uses = await _fetch_all_uses(database, superuser, account_id)
    assert sum(paid for parts in uses.values() for _, paid in parts) == 12_000_000
    assert sorted(uses) == list(range(1, 8))
    assert (await reconcile(database)).breaches == ()


async def test_settling_again_changes_nothing(
    database: Database, ledger: PostgresLedger, make_account: MakeAccount
) -> None:
    account_id = await make_account("5")
    await ledger.charge([make_charge(account_id)])
    async with database.begin() as connection:
        assert await settle(connection, [account_id]) == 2
        assert await settle(connection, [account_id]) == 0
    assert (await reconcile(database)).breaches == ()


async def _make_history(
    database: Database, ledger: PostgresLedger, account_id: uuid.UUID, seed: int
) -> None:
    choices = random.Random(seed)
    top_ups = [uuid.uuid4() for _ in range(3)]
    for _ in range(40):
        amount = str(choices.randint(1, 9))
        what = choices.choice(["charge", "charge", "charge", "grant", "top_up", "chargeback"])
        if what == "charge":
            await ledger.charge([make_charge(account_id, amount) for _ in range(3)])
            continue
        async with database.begin() as connection:
            available = (await lock_balance(connection, account_id)).available
            if what == "top_up":
                part = NewGrant(Credits.parse(amount), 100)
                top_up = choices.choice(top_ups)
                await add_credits(
                    connection,
                    account_id,
                    Kind.ADJUSTMENT,
                    Origin.ADJUSTMENT,
                    [part],
                    source_id=top_up,
                    reason="test",
                )
            elif what == "chargeback" and available >= Credits.parse(amount):
                await post_entry(
                    connection,
                    account_id,
                    Kind.ADJUSTMENT,
                    -Credits.parse(amount),
                    source_id=choices.choice(top_ups),
                )
            else:
                await add_grant(
                    connection,
                    account_id,
                    Credits.parse(amount),
                    reason="test",
                    priority=choices.choice([0, 50, 99]),
                    expires_at=choices.choice([None, _NOW, _NOW + timedelta(days=1)]),
                )


@pytest.mark.parametrize("seed", range(4))
async def test_however_it_is_cut_the_same_grants_pay(
    seed: int,
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    account_id = await make_account("20")
    await _make_history(database, ledger, account_id, seed)
    found = []
    for entries_max in (1, 2, 7, 1000):
        await superuser.execute(
            "UPDATE grants SET remaining_microcredits = amount_microcredits;"
            " TRUNCATE settled, grant_uses"
        )
        has_more = True
        while has_more:
            async with database.begin() as connection:
                has_more = await settle(connection, [account_id], entries_max) == entries_max
        assert (await reconcile(database)).breaches == ()
        left = await _fetch_remaining(superuser)
        found.append((left, await _fetch_all_uses(database, superuser, account_id)))
    assert found.count(found[0]) == len(found)


async def test_feed_settles_what_is_new_and_nothing_twice(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    accounts = [await make_account("50") for _ in range(3)]
    for _ in range(5):
        await ledger.charge([make_charge(account_id) for account_id in accounts])
    while await settle_feed(database, 4):
        pass
    assert await _fetch_remaining(superuser) == [45, 45, 45]
    await ledger.charge([make_charge(accounts[0])])
    assert not await settle_feed(database)
    assert sorted(await _fetch_remaining(superuser)) == [44, 45, 45]
    assert (await reconcile(database)).breaches == ()


async def test_feed_waits_for_a_transaction_that_commits_late(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    late, early = await make_account("5"), await make_account("5")
    while await settle_feed(database):
        pass
    async with database.begin() as connection:
        await post_entry(connection, late, Kind.ADJUSTMENT, -Credits.parse("1"))
        await ledger.charge([make_charge(early)])
        await settle_feed(database)
    await settle_feed(database)
    assert await _fetch_remaining(superuser) == [4, 4]


async def test_two_feeds_at_once_settle_once(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    account_id = await make_account("50")
    await ledger.charge([make_charge(account_id) for _ in range(10)])
    await asyncio.gather(*(settle_feed(database) for _ in range(4)))
    await settle_feed(database)
    assert await _fetch_remaining(superuser) == [40]
    assert (await reconcile(database)).breaches == ()


async def test_expired_credits_leave_by_an_entry(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    account_id = await make_account("10")
    await _grant(database, account_id, "5", priority=0, expires_at=_NOW)
    await ledger.charge([make_charge(account_id, "2")])
    assert not await expire_grants(database, _NOW - timedelta(seconds=1))
    assert await _fetch_remaining(superuser) == [10, 5]
    assert not await expire_grants(database, _NOW)
    assert await _fetch_remaining(superuser) == [10, 0]
    entry = await superuser.fetchrow("SELECT * FROM entries WHERE kind = 'expiry'")
    assert (entry["amount_microcredits"], entry["balance_microcredits"]) == (-3_000_000, 10_000_000)
    await expire_grants(database, _NOW)
    assert await superuser.fetchval("SELECT count(*) FROM entries WHERE kind = 'expiry'") == 1
    assert (await reconcile(database)).breaches == ()


async def test_held_credits_expire_when_they_are_released(
    database: Database, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account_id = await make_account("0")
    await _grant(database, account_id, "5", expires_at=_NOW)
    async with database.begin() as connection:
        await hold_credits(connection, account_id, Credits.parse("4"))
    await expire_grants(database, _NOW)
    assert await _fetch_remaining(superuser) == [4]
    assert not await expire_grants(database, _NOW)
    async with database.begin() as connection:
        await hold_credits(connection, account_id, -Credits.parse("4"))
    await expire_grants(database, _NOW)
    assert await _fetch_remaining(superuser) == [0]
    assert (await reconcile(database)).breaches == ()


async def test_expiry_against_charges_and_settlement(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    settings: BillingSettings,
    superuser: asyncpg.Connection,
) -> None:
    account_id = await make_account("30")
    for _ in range(10):
        await _grant(database, account_id, "3", priority=60, expires_at=_NOW)
    other = Database(settings)

    async def charge() -> None:
        for _ in range(25):
            await ledger.charge([make_charge(account_id)])

    async def expire() -> None:
        for step in range(20):
            await expire_grants(other, _NOW - timedelta(days=1) if step < 10 else _NOW)
            await settle_feed(other)

    await asyncio.gather(charge(), charge(), expire(), expire())
    await expire_grants(other, _NOW)
    while await settle_feed(other):
        pass
    await other.close()
    assert (await reconcile(database)).breaches == ()
    expired = await superuser.fetchval(
        "SELECT -sum(amount_microcredits) FROM entries WHERE kind = 'expiry'"
    )
    assert 0 < expired <= 30_000_000
    async with database.begin() as connection:
        await lock_balance(connection, account_id)
        await settle_to_head(connection, account_id)
    assert not any((await _fetch_remaining(superuser))[1:])
