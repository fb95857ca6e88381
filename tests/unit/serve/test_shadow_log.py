"""What was found of challengers arrives whole, also when storing it fails."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from billing.errors import LedgerUnavailable
from billing.reports.shadows import Differences, ShadowDay, ShadowPair
from serve.shadow_log import DAYS_MAX, ShadowLog

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PAIR = ShadowPair("fragile", "1", "2")


class MemoryStore:
    """The newest of each day; fails as told."""

    def __init__(self) -> None:
        self.days: dict[tuple[object, ShadowPair], Differences] = {}
        self.calls = 0
        self.failure: Exception | None = None

    async def __call__(self, _replica: uuid.UUID, days: Sequence[ShadowDay]) -> None:
        self.calls += 1
        if self.failure:
            raise self.failure
        self.days |= {(one.day, one.pair): one.differences for one in days}


def found(instances: int) -> Differences:
    return Differences(instances, difference_sum=instances / 4, difference_max=0.25)


async def test_a_day_is_sent_whole_each_time() -> None:
    store = MemoryStore()
    log = ShadowLog(store)
    for instances in (2, 3):
        log.add(PAIR, found(instances), NOON)
        await log.flush()
    assert store.days == {(NOON.date(), PAIR): found(5)}


async def test_nothing_new_is_not_sent() -> None:
    store = MemoryStore()
    log = ShadowLog(store)
    log.add(PAIR, found(1), NOON)
    for _ in range(2):
        await log.flush()
    assert store.calls == 1


@pytest.mark.parametrize("failure", [LedgerUnavailable("away"), ValueError("a mistake")])
async def test_what_could_not_be_stored_is_sent_again(failure: Exception) -> None:
    store = MemoryStore()
    log = ShadowLog(store)
    store.failure = failure
    log.add(PAIR, found(1), NOON)
    await log.close()
    store.failure = None
    await log.close()
    assert store.days == {(NOON.date(), PAIR): found(1)}


async def test_days_and_pairs_are_kept_apart_and_the_oldest_go_first() -> None:
    store = MemoryStore()
    log = ShadowLog(store)
    for number in range(DAYS_MAX + 1):
        log.add(PAIR, found(1), NOON + timedelta(days=number))
    log.add(ShadowPair("fragile", "1", "3"), found(1), NOON + timedelta(days=DAYS_MAX))
    await log.flush()
    assert len(store.days) == DAYS_MAX
    assert min(day for day, _ in store.days) == (NOON + timedelta(days=2)).date()  # type: ignore[type-var]
