"""What a replica counts by the minute arrives whole, also when storing it fails."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from billing.errors import LedgerUnavailable
from billing.reports.latency import bucket_of
from billing.reports.minutes import MinuteCounts
from serve.request_counts import MinuteLog, RequestCounts

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class MemoryStore:
    """The newest of each minute; fails before or after it is kept."""

    def __init__(self) -> None:
        self.minutes: dict[datetime, MinuteCounts] = {}
        self.calls = 0
        self.fails_before = False
        self.fails_after = False

    async def __call__(self, _replica: uuid.UUID, minutes: Sequence[MinuteCounts]) -> None:
        self.calls += 1
        if self.fails_before:
            raise LedgerUnavailable("away")
        self.minutes |= {each.minute: each for each in minutes}
        if self.fails_after:
            raise LedgerUnavailable("lost")

    def count(self, outcome: str) -> int:
        return sum(each.outcomes.get(outcome, 0) for each in self.minutes.values())


def counted(*outcomes: str, seconds: float = 0.01) -> RequestCounts:
    counts = RequestCounts()
    for outcome in outcomes:
        counts.request_ended(outcome, seconds)
    return counts


def test_what_was_taken_is_not_counted_again() -> None:
    counts = counted("charged", "charged", "queue_full")
    taken = counts.take()
    assert taken.outcomes == {"charged": 2, "queue_full": 1}
    assert (counts.take().outcomes, sum(counts.take().latencies)) == ({}, 0)


def test_latencies_are_those_of_answered_requests() -> None:
    taken = counted("charged", "replayed", "queue_full", seconds=0.02).take()
    assert sum(taken.latencies) == taken.latencies[bucket_of(0.02)] == 2


async def test_a_minute_is_sent_whole_each_time_it_grows() -> None:
    store = MemoryStore()
    log = MinuteLog(store)
    for second in (1, 20, 59, 60):
        log.add(counted("charged").take(), NOON + timedelta(seconds=second))
        await log.flush()
    assert [each.outcomes for each in store.minutes.values()] == [{"charged": 3}, {"charged": 1}]
    assert store.minutes[NOON].latencies == {bucket_of(0.01): 3}


async def test_nothing_new_is_not_sent() -> None:
    store = MemoryStore()
    log = MinuteLog(store)
    log.add(counted("charged").take(), NOON)
    log.add(RequestCounts().take(), NOON + timedelta(minutes=1))
    await log.flush()
    await log.flush()
    assert (store.calls, list(store.minutes)) == (1, [NOON])


@pytest.mark.parametrize("fault", ["fails_before", "fails_after"])
async def test_what_could_not_be_stored_is_sent_again(fault: str) -> None:
    store = MemoryStore()
    log = MinuteLog(store)
    setattr(store, fault, True)
    for minute in range(3):
        log.add(counted("charged").take(), NOON + timedelta(minutes=minute))
        with pytest.raises(LedgerUnavailable):
            await log.flush()
    setattr(store, fault, False)
    await log.flush()
    assert (len(store.minutes), store.count("charged")) == (3, 3)


async def test_minutes_are_bounded_while_the_database_is_away() -> None:
    store = MemoryStore()
    log = MinuteLog(store)
    for minute in range(100):
        log.add(counted("charged").take(), NOON + timedelta(minutes=minute))
    await log.flush()
    assert 30 <= len(store.minutes) <= 32
    assert max(store.minutes) == NOON + timedelta(minutes=99)


async def test_a_clock_set_back_overwrites_no_minute() -> None:
    store = MemoryStore()
    log = MinuteLog(store)
    for minute in (0, 1, 2, 0, 3):
        log.add(counted("charged").take(), NOON + timedelta(minutes=minute))
        await log.flush()
    assert store.count("charged") == 5


async def test_the_last_flush_does_not_fail_a_replicas_end() -> None:
    store = MemoryStore()
    log = MinuteLog(store)
    log.add(counted("charged").take(), NOON)
    store.fails_before = True
    await log.close()
    assert store.calls == 1
