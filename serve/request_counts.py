"""Counts how requests end and how long they take, in plain integers; by the minute for the reports.

The hot path adds to a dictionary and a list. Once a second they are taken and added to the minute
that it then is, so a request may count in the minute after its own, by a second at most.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import uuid_utils.compat

from billing.reports.latency import BUCKETS, bucket_of
from billing.reports.minutes import MinuteCounts
from serve.flushing import Flushed

_MINUTES_MAX = 30
"""Minutes kept while the database is away. Far less than the age at which they are folded."""

ANSWERED = frozenset({"charged", "replayed"})
"""Outcomes whose latency counts: refusals are quick and would hide how long work takes."""

Store = Callable[[uuid.UUID, Sequence[MinuteCounts]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted since the last time."""

    outcomes: dict[str, int]
    latencies: list[int]


class RequestCounts:
    """What the hot path counts into."""

    def __init__(self) -> None:
        self._outcomes: dict[str, int] = {}
        self._latencies = [0] * BUCKETS

    def request_ended(self, outcome: str, seconds: float) -> None:
        """Count one request."""
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
        if outcome in ANSWERED:
            self._latencies[bucket_of(seconds)] += 1

    def take(self) -> Counts:
        """All that was counted; counting begins at zero again."""
        taken = Counts(self._outcomes, self._latencies)
        self._outcomes, self._latencies = {}, [0] * BUCKETS
        return taken


@dataclass(slots=True)
class _Minute:
    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: Counter[int] = field(default_factory=Counter)

    def freeze(self, minute: datetime) -> MinuteCounts:
        return MinuteCounts(minute, dict(self.outcomes), dict(self.latencies))


class MinuteLog(Flushed):
    """The last minutes of one replica, until they are stored for good.

    It always sends the whole of a minute, so sending it twice does no harm.
    """

    counts = "request_counts"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._replica_id = uuid_utils.compat.uuid7()
        self._minutes: dict[datetime, _Minute] = {}
        self._unsent: set[datetime] = set()

    def add(self, counts: Counts, now: datetime) -> None:
        """Count to the minute of `now`."""
        if not counts.outcomes:
            return
        minute = now.replace(second=0, microsecond=0)
        minute = max((minute, *self._minutes))  # a clock set back changes no minute gone
        if minute not in self._minutes:
            self._forget_before(minute - timedelta(minutes=_MINUTES_MAX))
        entry = self._minutes.setdefault(minute, _Minute())
        entry.outcomes.update(counts.outcomes)
        entry.latencies.update({b: n for b, n in enumerate(counts.latencies) if n})
        self._unsent.add(minute)

    async def flush(self) -> None:
        """Store what has changed; what could not be stored is sent again the next time."""
        sending = sorted(self._unsent)
        if not sending:
            return
        self._unsent.clear()
        minutes = [self._minutes[minute].freeze(minute) for minute in sending]
        try:
            await self._store(self._replica_id, minutes)
        except BaseException:
            self._unsent.update(minute for minute in sending if minute in self._minutes)
            raise

    def _forget_before(self, minute: datetime) -> None:
        """Minutes that are stored and over, and, where the database is away, those too old."""
        latest = max(self._minutes, default=minute)
        for each in list(self._minutes):
            if each < minute or (each not in self._unsent and each < latest):
                del self._minutes[each]
                self._unsent.discard(each)
