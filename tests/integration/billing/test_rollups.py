"""Each entry is added to the rollups once, whenever it commits and whoever adds it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from random import Random

import asyncpg
import pytest

from billing.database import Database
from billing.reports.errors import FeedAhead
from billing.reports.rebuilding import rebuild
from billing.reports.rollups import advance, advance_rows
from billing.settings import BillingSettings
from tests.support.ledger_rows import assert_rollups_equal_raw_sums, write_entries

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ACCOUNTS = [uuid.UUID(int=number) for number in range(1, 6)]
COUNT = "SELECT sum(entries)::bigint FROM kind_hours"


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another writer."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def add_all(database: Database, rows_max: int = 20) -> None:
    while await advance(database, rows_max):
        pass


@pytest.mark.parametrize("seed", range(5))
async def test_rollups_equal_the_raw_sums(
    database: Database, superuser: asyncpg.Connection, seed: int
) -> None:
    random = Random(seed)
    for _ in range(12):
        await write_entries(superuser, random, ACCOUNTS, random.randrange(1, 25))
        if random.random() < 0.5:
            await advance(database, random.randrange(1, 30))
    await add_all(database)
    await assert_rollups_equal_raw_sums(superuser)


async def test_a_transaction_is_never_cut_in_two(
    database: Database, superuser: asyncpg.Connection
) -> None:
    random = Random(1)
    for count in (5, 30, 5):
        await write_entries(superuser, random, ACCOUNTS, count)
    entries = [
        row["n"]
        for row in await superuser.fetch(
            "SELECT count(*) AS n FROM entries GROUP BY xid ORDER BY xid"
        )
    ]
    added = [await advance_rows(database, 1) for _ in range(4)]
    assert added == [*entries, 0]


async def test_nothing_new_means_nothing_is_written(
    database: Database, superuser: asyncpg.Connection
) -> None:
    await write_entries(superuser, Random(1), ACCOUNTS, 5)
    await add_all(database)
    before = await superuser.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    assert not await advance(database)
    assert before == await superuser.fetchval(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
    )


async def test_what_commits_late_is_not_skipped(
    database: Database, superuser: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    slow = other.transaction()
    await slow.start()
    await write_entries(other, Random(1), ACCOUNTS[:1], 10)
    await write_entries(superuser, Random(2), ACCOUNTS[1:], 10)
    await add_all(database)
    assert await superuser.fetchval(COUNT) is None
    await slow.commit()
    await add_all(database)
    await assert_rollups_equal_raw_sums(superuser)


async def test_what_is_rolled_back_is_never_added(
    database: Database, superuser: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    slow = other.transaction()
    await slow.start()
    await write_entries(other, Random(1), ACCOUNTS[:1], 10)
    await write_entries(superuser, Random(2), ACCOUNTS[1:], 10)
    await slow.rollback()
    await add_all(database)
    await assert_rollups_equal_raw_sums(superuser)


async def test_several_at_once_while_entries_arrive_add_each_once(
    settings: BillingSettings, superuser: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    done = asyncio.Event()

    async def keep_adding() -> None:
        database = Database(settings)
        while not done.is_set():
            await advance(database, 7)
        await add_all(database)
        await database.close()

    async def write(connection: asyncpg.Connection, accounts: list[uuid.UUID], seed: int) -> None:
        random = Random(seed)
        for _ in range(20):
            await write_entries(connection, random, accounts, random.randrange(1, 6))

    adding = [asyncio.create_task(keep_adding()) for _ in range(3)]
    await asyncio.gather(write(superuser, ACCOUNTS[:2], 1), write(other, ACCOUNTS[2:], 2))
    done.set()
    await asyncio.gather(*adding)
    await assert_rollups_equal_raw_sums(superuser)


@pytest.mark.parametrize("delay_seconds", [0.0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.05])
async def test_cancelled_anywhere_adds_all_or_nothing(
    database: Database, superuser: asyncpg.Connection, delay_seconds: float
) -> None:
    for seed in range(3):
        await write_entries(superuser, Random(seed), ACCOUNTS, 20)
        adding = asyncio.create_task(advance(database, 10_000))
        await asyncio.sleep(delay_seconds)
        adding.cancel()
        await asyncio.wait([adding])
        assert await superuser.fetchval(COUNT) in (
            None,
            *[
                row[0]
                for row in await superuser.fetch(
                    "SELECT sum(count(*)) OVER (ORDER BY xid)::bigint FROM entries GROUP BY xid"
                )
            ],
        )
    await add_all(database)
    await assert_rollups_equal_raw_sums(superuser)


async def test_killed_inside_the_transaction_adds_once_in_the_end(
    database: Database, superuser: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    await write_entries(superuser, Random(1), ACCOUNTS, 30)
    lock = other.transaction()
    await lock.start()
    await other.execute("LOCK TABLE model_hours IN EXCLUSIVE MODE")
    adding = asyncio.create_task(advance(database))
    killed = 0
    async with asyncio.timeout(10):
        while not killed:
            killed = await superuser.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
    await lock.rollback()
    with pytest.raises(Exception, match="did not answer"):
        await adding
    assert await superuser.fetchval(COUNT) is None
    await add_all(database)
    await assert_rollups_equal_raw_sums(superuser)


async def test_rebuilding_makes_the_same_sums_again(
    database: Database, database_url: str, superuser: asyncpg.Connection
) -> None:
    for seed in range(3):
        await write_entries(superuser, Random(seed), ACCOUNTS, 20)
    await add_all(database)
    await superuser.execute("UPDATE model_hours SET predictions = 7")
    await superuser.execute("DELETE FROM entry_hours")
    entries = await superuser.fetchval("SELECT count(*) FROM entries")
    assert await rebuild(database_url, database, 10) == entries
    await assert_rollups_equal_raw_sums(superuser)
    assert await superuser.fetchval("SELECT action FROM audit") == "rebuild_reports"


async def test_a_dump_of_an_older_server_is_named_and_mended(
    database: Database, database_url: str, superuser: asyncpg.Connection
) -> None:
    for seed in range(4):
        await write_entries(superuser, Random(seed), ACCOUNTS, 10)
    await add_all(database)
    # As after a restore: ids of transactions that this server has not had yet.
    foreign = "(xid::text::bigint * 1000 + 5000000)::text::xid8"
    await superuser.execute(f"UPDATE entries SET xid = {foreign}")
    await superuser.execute(f"UPDATE feeds SET xid = {foreign} WHERE name = 'rollups'")
    with pytest.raises(FeedAhead):
        await advance(database)
    await rebuild(database_url, database)
    await assert_rollups_equal_raw_sums(superuser)
    assert await superuser.fetchval("SELECT count(DISTINCT xid) FROM entries") > 1
    await write_entries(superuser, Random(9), ACCOUNTS, 10)
    await add_all(database)
    await assert_rollups_equal_raw_sums(superuser)
