"""Brings what a scorer counted into the database, by day, each count once."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeAlias

import uuid_utils.compat

from billing.reports.drift import DAYS_LATE_MAX, ScoredRows
from serve.drift_counts import Counted, Key
from serve.flushing import Flushed

Store: TypeAlias = Callable[[uuid.UUID, int, Sequence[ScoredRows]], Awaitable[None]]


class Source(Protocol):
    """Where the counts come from."""

    def take(self) -> dict[Key, Counted]: ...


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What is sent, and sent again as it is until it is known to have arrived."""

    number: int
    scored: tuple[ScoredRows, ...]


class DriftLog(Flushed):
    """The counts of one replica that are not stored yet.

    Counts are added to what is stored, so a parcel has a number, and the database takes each
    number of a replica once. While the database is away counts of a day add up: a sum a model
    version and day, for a week of days.
    """

    counts = "drift_counts"

    def __init__(
        self, source: Source, store: Store, flush_seconds: float, now: Callable[[], datetime]
    ) -> None:
        self._source, self._store = source, store
        self._flush_seconds, self._now = flush_seconds, now
        self._replica_id = uuid_utils.compat.uuid7()
        self._day = _utc_day(now())
        self._kept: dict[tuple[date, Key], Counted] = {}
        self._parcel: _Parcel | None = None
        self._parcels = 0

    def collect(self) -> None:
        """Take what was counted since the last time, to the day on which that was."""
        for key, counted in self._source.take().items():
            before = self._kept.get((self._day, key))
            self._kept[self._day, key] = counted if before is None else before + counted
        self._day = max(self._day, _utc_day(self._now()))
        oldest = self._day - timedelta(days=DAYS_LATE_MAX)
        for day, key in list(self._kept):
            if day < oldest:
                del self._kept[day, key]

    async def flush(self) -> None:
        """Store all there is; what fails is sent again, unchanged, the next time."""
        self.collect()
        if self._parcel is not None:
            await self._send(self._parcel)
        if self._kept:
            self._parcels += 1
            scored = tuple(_scored_rows(self._kept))
            self._kept = {}
            self._parcel = _Parcel(self._parcels, scored)
            await self._send(self._parcel)

    def pause_seconds(self) -> float:
        """Until the next flush; one is at midnight too, so that days are parted there."""
        return min(self._flush_seconds, _seconds_to_midnight(self._now()))

    async def _send(self, parcel: _Parcel) -> None:
        await self._store(self._replica_id, parcel.number, parcel.scored)
        self._parcel = None


def _scored_rows(kept: dict[tuple[date, Key], Counted]) -> list[ScoredRows]:
    return [
        ScoredRows(
            day,
            *key,
            counted.rows,
            tuple(counted.feature_ones.tolist()),
            tuple(counted.probability_bins.tolist()),
        )
        for (day, key), counted in kept.items()
    ]


def _utc_day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _seconds_to_midnight(now: datetime) -> float:
    midnight = datetime.combine(_utc_day(now) + timedelta(days=1), datetime.min.time(), UTC)
    return (midnight - now).total_seconds()
