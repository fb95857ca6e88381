"""What scorers counted adds up in the database, each parcel once, for a bounded time."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date, timedelta

import asyncpg
import pytest

from billing.database import Database
from billing.reports.drift import ScoredRows, add_scored, fetch_scored, prune_scored

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

DAY = date(2026, 5, 1)
TOMORROW = DAY + timedelta(days=1)
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


def scored(rows: int, day: date = DAY, model: str = "a", version: str = "1") -> ScoredRows:
    """So many rows, of which all have the first feature and one the third."""
    return ScoredRows(day, model, version, rows, (rows, 0, 1), (0, rows - 1, 1, *[0] * 17))


async def fetch_all(database: Database) -> list[ScoredRows]:
    return await fetch_scored(database, date(2000, 1, 1), date(2100, 1, 1))


async def test_parcels_of_two_replicas_add_up_place_by_place(database: Database) -> None:
    await add_scored(database, ONE, 1, [scored(5), scored(2, model="b")])
    await add_scored(database, TWO, 1, [scored(10)])
    await add_scored(database, TWO, 2, [scored(1), scored(4, TOMORROW)])
    assert await fetch_all(database) == [
        ScoredRows(DAY, "a", "1", 16, (16, 0, 3), (0, 13, 3, *[0] * 17)),
        scored(2, model="b"),
        scored(4, TOMORROW),
    ]


async def test_a_parcel_that_comes_again_counts_once(database: Database) -> None:
    for _ in range(3):
        await add_scored(database, ONE, 1, [scored(5)])
    await add_scored(database, ONE, 2, [scored(5)])
    await add_scored(database, ONE, 1, [scored(5)])
    assert [one.rows for one in await fetch_all(database)] == [10]


async def test_replicas_that_add_at_once_lose_nothing(database: Database) -> None:
    async def add(replica: int) -> None:
        for number in range(1, 11):
            days = [scored(1, model=model) for model in ("a", "b", "c")]
            await add_scored(
                database, uuid.UUID(int=replica), number, days[:: 1 if replica % 2 else -1]
            )

    await asyncio.gather(*map(add, range(1, 5)))
    assert [(one.model, one.rows) for one in await fetch_all(database)] == [
        ("a", 40),
        ("b", 40),
        ("c", 40),
    ]


async def test_a_parcel_is_added_whole_or_not_at_all(database: Database) -> None:
    wrong = ScoredRows(DAY, "b", "1", 2**70, (), ())
    with pytest.raises(asyncpg.DataError):
        await add_scored(database, ONE, 1, [scored(5), wrong])
    assert await fetch_all(database) == []
    await add_scored(database, ONE, 1, [scored(5)])
    assert [one.rows for one in await fetch_all(database)] == [5]


async def test_days_models_and_versions_are_asked_for(database: Database) -> None:
    days = [scored(n, DAY + timedelta(days=n), version=str(n % 2)) for n in range(1, 5)]
    await add_scored(database, ONE, 1, [*days, scored(9, model="b")])
    since, until = DAY + timedelta(days=1), DAY + timedelta(days=4)
    assert [one.rows for one in await fetch_scored(database, since, until)] == [1, 2, 3]
    assert [one.rows for one in await fetch_scored(database, since, until, "a", "1")] == [1, 3]
    assert [one.rows for one in await fetch_scored(database, DAY, until, "b")] == [9]
    assert await fetch_scored(database, since, until, "none") == []


async def test_old_days_and_parcels_are_pruned(
    database: Database, superuser: asyncpg.Connection
) -> None:
    await add_scored(database, ONE, 1, [scored(1, DAY - timedelta(days=n)) for n in range(5)])
    await add_scored(database, TWO, 1, [scored(1)])
    await superuser.execute(
        "UPDATE drift_parcels SET taken_at = now() - interval '40 days' WHERE replica_id = $1", ONE
    )
    assert await prune_scored(database, DAY - timedelta(days=1)) == 3
    assert [one.day for one in await fetch_all(database)] == [DAY - timedelta(days=1), DAY]
    assert await superuser.fetchval("SELECT array_agg(replica_id) FROM drift_parcels") == [TWO]


async def test_reporters_may_read_and_nothing_else(superuser: asyncpg.Connection) -> None:
    await superuser.execute("SET ROLE farebox_reporter")
    for table in ("drift_days", "drift_parcels"):
        assert await superuser.fetchval(f"SELECT count(*) FROM {table}") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await superuser.execute(f"DELETE FROM {table}")
