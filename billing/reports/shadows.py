"""How far challengers were from champions on the rows they scored in their shadow, by day."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from billing.database import Database

DIFFERENCE_BOUNDS = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the histogram's buckets, which go from one bound to below the next; the last is open."""

BUCKETS = len(DIFFERENCE_BOUNDS) + 1

_STORE = """
INSERT INTO shadow_days (
    day, model, champion, challenger, replica_id, instances, disagreements,
    difference_sum, difference_max, histogram, dropped, failed
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (day, model, champion, challenger, replica_id) DO UPDATE SET
    instances = excluded.instances,
    disagreements = excluded.disagreements,
    difference_sum = excluded.difference_sum,
    difference_max = excluded.difference_max,
    histogram = excluded.histogram,
    dropped = excluded.dropped,
    failed = excluded.failed
"""

_FETCH = """
SELECT day, model, champion, challenger, instances, disagreements,
       difference_sum, difference_max, histogram, dropped, failed
FROM shadow_days
WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR model = $3)
ORDER BY day, model, champion, challenger, replica_id
"""


@dataclass(frozen=True, slots=True)
class ShadowPair:
    """Who was compared with whom."""

    model: str
    champion: str
    challenger: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Of probabilities, in absolute value, over the instances that both have scored."""

    instances: int = 0
    disagreements: int = 0
    """Instances that the two label differently, each by its own threshold."""
    difference_sum: float = 0.0
    difference_max: float = 0.0
    histogram: tuple[int, ...] = (0,) * BUCKETS
    dropped: int = 0
    """Instances that were not compared because too many were waiting."""
    failed: int = 0
    """Instances that the challenger had no probability for."""

    def __add__(self, other: Differences) -> Differences:
        return Differences(
            self.instances + other.instances,
            self.disagreements + other.disagreements,
            self.difference_sum + other.difference_sum,
            max(self.difference_max, other.difference_max),
            tuple(map(sum, zip(self.histogram, other.histogram, strict=True))),
            self.dropped + other.dropped,
            self.failed + other.failed,
        )

    @property
    def difference_mean(self) -> float:
        """0 where nothing was compared."""
        return self.difference_sum / self.instances if self.instances else 0.0


@dataclass(frozen=True, slots=True)
class ShadowDay:
    """What was found in one day."""

    day: date
    pair: ShadowPair
    differences: Differences


async def store_shadow_days(
    database: Database, replica_id: uuid.UUID, days: Sequence[ShadowDay]
) -> None:
    """Set what the replica found in these days, whatever it said of them before.

    So it can be sent again when it is not known whether it arrived.
    """
    async with database.connection() as connection:
        await connection.executemany(_STORE, [_row_of(replica_id, one) for one in days])


async def fetch_shadow_differences(
    database: Database, since: date, until: date, model: str | None = None
) -> list[ShadowDay]:
    """Of all replicas together, from `since` to `until` with both days."""
    async with database.connection() as connection:
        rows = await connection.fetch(_FETCH, since, until, model)
    sums: dict[tuple[date, ShadowPair], Differences] = {}
    for row in rows:
        key = (row["day"], ShadowPair(row["model"], row["champion"], row["challenger"]))
        sums[key] = sums.get(key, Differences()) + _differences_of(row)
    return [ShadowDay(day, pair, differences) for (day, pair), differences in sums.items()]


def _row_of(replica_id: uuid.UUID, one: ShadowDay) -> tuple[object, ...]:
    pair, found = one.pair, one.differences
    return (
        one.day,
        pair.model,
        pair.champion,
        pair.challenger,
        replica_id,
        found.instances,
        found.disagreements,
        found.difference_sum,
        found.difference_max,
        list(found.histogram),
        found.dropped,
        found.failed,
    )


def _differences_of(row: asyncpg.Record) -> Differences:
    return Differences(
        row["instances"],
        row["disagreements"],
        row["difference_sum"],
        row["difference_max"],
        tuple(row["histogram"]),
        row["dropped"],
        row["failed"],
    )
