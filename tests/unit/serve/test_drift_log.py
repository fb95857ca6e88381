"""Counts reach the database once, on the day they are of, also when storing them fails."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from billing.errors import LedgerUnavailable
from billing.reports.drift import DAYS_LATE_MAX, ScoredRows
from serve.drift_counts import ScoredCounts
from serve.drift_log import DriftLog

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class MemoryStore:
    """As the database: each parcel of a replica once; fails before or after it is kept."""

    def __init__(self) -> None:
        self.days: dict[date, int] = {}
        self.taken: dict[uuid.UUID, int] = {}
        self.calls = 0
        self.fails_before = False
        self.fails_after = False

    async def __call__(self, replica: uuid.UUID, number: int, scored: Sequence[ScoredRows]) -> None:
        self.calls += 1
        if self.fails_before:
            raise LedgerUnavailable("away")
        if self.taken.get(replica, 0) < number:
            self.taken[replica] = number
            for one in scored:
                assert sum(one.probability_bins) == one.rows
                self.days[one.day] = self.days.get(one.day, 0) + one.rows
        if self.fails_after:
            raise LedgerUnavailable("lost")


class Scorer:
    """A log over counts, and a clock."""

    def __init__(self, flush_seconds: float = 60) -> None:
        self.now = NOON
        self.counts, self.store = ScoredCounts(), MemoryStore()
        self.log = DriftLog(self.counts, self.store, flush_seconds, lambda: self.now)

    def score(self, rows: int, version: str = "1") -> None:
        self.counts.add("a", version, np.ones((rows, 2), dtype=np.uint8), np.full(rows, 0.5))


async def test_a_day_adds_up_over_flushes_and_versions() -> None:
    scorer = Scorer()
    for rows in (3, 4):
        scorer.score(rows)
        scorer.score(1, "2")
        await scorer.log.flush()
    assert scorer.store.days == {NOON.date(): 9}
    assert scorer.store.calls == 2


async def test_nothing_scored_is_not_sent() -> None:
    scorer = Scorer()
    await scorer.log.flush()
    assert scorer.store.calls == 0


async def test_rows_belong_to_the_day_before_the_flush_at_midnight() -> None:
    scorer = Scorer()
    scorer.score(5)
    scorer.now = NOON + DAY / 2
    await scorer.log.flush()
    scorer.score(7)
    scorer.now += timedelta(seconds=60)
    await scorer.log.flush()
    assert scorer.store.days == {NOON.date(): 5, NOON.date() + DAY: 7}


@pytest.mark.parametrize("fault", ["fails_before", "fails_after"])
async def test_what_may_not_have_arrived_is_sent_again_and_counts_once(fault: str) -> None:
    scorer = Scorer()
    setattr(scorer.store, fault, True)
    for _ in range(3):
        scorer.score(2)
        with pytest.raises(LedgerUnavailable):
            await scorer.log.flush()
    setattr(scorer.store, fault, False)
    await scorer.log.flush()
    await scorer.log.flush()
    assert scorer.store.days == {NOON.date(): 6}


async def test_days_are_bounded_while_the_database_is_away() -> None:
    scorer = Scorer()
    for _ in range(30):
        scorer.score(2)
        scorer.log.collect()
        scorer.now += DAY
        scorer.log.collect()
    await scorer.log.flush()
    assert len(scorer.store.days) == DAYS_LATE_MAX


async def test_the_last_flush_does_not_fail_a_replicas_end() -> None:
    scorer = Scorer()
    scorer.score(1)
    scorer.store.fails_before = True
    await scorer.log.close()
    assert scorer.store.calls == 1


async def test_it_flushes_by_itself_and_goes_on_after_a_failure() -> None:
    scorer = Scorer(flush_seconds=0.001)
    scorer.score(1)
    scorer.store.fails_before = True
    flushing = asyncio.create_task(scorer.log.keep_flushed())
    while scorer.store.calls < 2:
        await asyncio.sleep(0.001)
    scorer.store.fails_before = False
    while not scorer.store.days:
        await asyncio.sleep(0.001)
    flushing.cancel()
    assert scorer.store.days == {NOON.date(): 1}
