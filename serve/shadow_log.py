"""What one replica found of its challengers, by day, until it is stored for good."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime

import uuid_utils.compat

from billing.reports.shadows import Differences, ShadowDay, ShadowPair
from serve.flushing import Flushed

DAYS_MAX = 64
"""Days of pairs kept while the database is away; the oldest go first."""

Store = Callable[[uuid.UUID, Sequence[ShadowDay]], Awaitable[None]]


class ShadowLog(Flushed):
    """Sums by day and pair.

    It always sends the whole of a day, so sending it twice does no harm.
    """

    counts = "shadow_days"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._replica_id = uuid_utils.compat.uuid7()
        self._days: dict[tuple[date, ShadowPair], Differences] = {}
        self._unsent: set[tuple[date, ShadowPair]] = set()

    def add(self, pair: ShadowPair, found: Differences, now: datetime) -> None:
        """Count to the day of `now`, which is in UTC."""
        key = (now.date(), pair)
        if key not in self._days:
            self._forget_oldest()
        self._days[key] = self._days.get(key, Differences()) + found
        self._unsent.add(key)

    async def flush(self) -> None:
        """Store what has changed; what could not be stored is sent again the next time."""
        sending = [key for key in self._days if key in self._unsent]
        if not sending:
            return
        self._unsent.clear()
        days = [ShadowDay(day, pair, self._days[day, pair]) for day, pair in sending]
        try:
            await self._store(self._replica_id, days)
        except BaseException:
            self._unsent.update(key for key in sending if key in self._days)
            raise

    def _forget_oldest(self) -> None:
        while len(self._days) >= DAYS_MAX:
            oldest = next(iter(self._days))
            del self._days[oldest]
            self._unsent.discard(oldest)
