"""Differences of challengers are stored as a replica last said them, and read for all together."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from billing.database import Database
from billing.reports.shadows import (
    Differences,
    ShadowDay,
    ShadowPair,
    fetch_shadow_differences,
    store_shadow_days,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

MONDAY, TUESDAY = date(2026, 5, 4), date(2026, 5, 5)
PAIR, OTHER = ShadowPair("fragile", "1", "2"), ShadowPair("other", "3", "4")
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


def found(instances: int) -> Differences:
    histogram = (instances, 0, 0, 0, 0, 0, 0, 1)
    return Differences(instances, 1, instances / 4, instances / 100, histogram, 5, 6)


async def test_the_last_word_of_each_replica_counts(database: Database) -> None:
    for instances in (1, 7, 7):
        await store_shadow_days(database, ONE, [ShadowDay(MONDAY, PAIR, found(instances))])
    await store_shadow_days(database, TWO, [ShadowDay(MONDAY, PAIR, found(3))])
    [day] = await fetch_shadow_differences(database, MONDAY, MONDAY)
    assert (day.day, day.pair) == (MONDAY, PAIR)
    assert day.differences == Differences(10, 2, 2.5, 0.07, (10, 0, 0, 0, 0, 0, 0, 2), 10, 12)
    assert day.differences.difference_mean == 0.25


async def test_days_and_models_are_told_apart(database: Database) -> None:
    days = [ShadowDay(day, pair, found(1)) for day in (MONDAY, TUESDAY) for pair in (PAIR, OTHER)]
    await store_shadow_days(database, ONE, days)
    assert await fetch_shadow_differences(database, MONDAY, TUESDAY) == days
    assert await fetch_shadow_differences(database, TUESDAY, TUESDAY, "other") == [days[3]]
    assert await fetch_shadow_differences(database, TUESDAY, MONDAY) == []
