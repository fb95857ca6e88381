"""What replicas counted is stored as they last said it, and kept when it moves into hours."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from billing.database import Database
from billing.reports.minutes import MinuteCounts, fold_minutes, store_minutes

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


def minute(number: int, charged: int) -> MinuteCounts:
    return MinuteCounts(
        NOON + timedelta(minutes=number), {"charged": charged, "queue_full": 1}, {40: charged, 7: 1}
    )


async def fetch_sums(connection: asyncpg.Connection, tables: str) -> list[int]:
    return [
        await connection.fetchval(
            f"SELECT coalesce(sum(requests), 0)::bigint FROM {table}_{tables}"
        )
        for table in ("request", "latency")
    ]


async def test_the_last_word_on_a_minute_counts(
    database: Database, superuser: asyncpg.Connection
) -> None:
    for charged in (1, 5, 5):
        await store_minutes(database, ONE, [minute(0, charged), minute(1, 2)])
    await store_minutes(database, TWO, [minute(0, 10)])
    assert await fetch_sums(superuser, "minutes") == [20, 20]


async def test_folding_moves_old_minutes_and_loses_none(
    database: Database, superuser: asyncpg.Connection
) -> None:
    for replica in (ONE, TWO):
        await store_minutes(database, replica, [minute(n, 2) for n in range(0, 300, 10)])
    assert await fetch_sums(superuser, "minutes") == [180, 180]
    limit = NOON + timedelta(minutes=215)
    folded = [await fold_minutes(database, limit) for _ in range(5)]
    assert folded == [True, True, True, False, False]
    assert await fetch_sums(superuser, "minutes") == [48, 48]
    assert await fetch_sums(superuser, "hours") == [132, 132]
    assert await superuser.fetchval("SELECT min(minute) FROM request_minutes") >= limit
    hour = "SELECT requests FROM request_hours WHERE hour = $1 AND outcome = 'charged'"
    assert await superuser.fetchval(hour, NOON) == 24


async def test_two_that_fold_at_once_move_each_minute_once(
    database: Database, superuser: asyncpg.Connection
) -> None:
    await store_minutes(database, ONE, [minute(n, 1) for n in range(600)])
    await asyncio.gather(*(fold_all(database) for _ in range(3)))
    assert await fetch_sums(superuser, "minutes") == [0, 0]
    assert await fetch_sums(superuser, "hours") == [1200, 1200]


async def fold_all(database: Database) -> None:
    while await fold_minutes(database, NOON + timedelta(days=1)):
        pass
