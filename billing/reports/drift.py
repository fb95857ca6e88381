"""Counts of what scorers scored, by day, model and version: what drift is reckoned from."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.database import Database

DAYS_LATE_MAX = 7
"""A replica that could not reach the database forgets counts older than that."""

_PARCELS_KEPT_DAYS = 4 * DAYS_LATE_MAX
"""Long after a replica could have sent one of its parcels again."""

_TAKE_PARCEL = """
INSERT INTO drift_parcels AS taken (replica_id, number) VALUES ($1, $2)
ON CONFLICT (replica_id) DO UPDATE SET number = excluded.number, taken_at = now()
WHERE taken.number < excluded.number
RETURNING number
"""

_ADDED = """
ARRAY(
    SELECT coalesce(before, 0) + coalesce(more, 0)
    FROM unnest(kept.{0}, excluded.{0}) WITH ORDINALITY AS pairs (before, more, position)
    ORDER BY position
)
"""
_ADD = f"""
INSERT INTO drift_days AS kept
    (day, model, version, rows_scored, feature_ones, probability_bins)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (day, model, version) DO UPDATE SET
    rows_scored = kept.rows_scored + excluded.rows_scored,
    feature_ones = {_ADDED.format("feature_ones")},
    probability_bins = {_ADDED.format("probability_bins")}
"""  # noqa: S608

_FETCH = """
SELECT day, model, version, rows_scored, feature_ones, probability_bins
FROM drift_days
WHERE day >= $1 AND day < $2
    AND ($3::text IS NULL OR model = $3) AND ($4::text IS NULL OR version = $4)
ORDER BY day, model, version
"""


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Rows that one model version scored on one day UTC, and what they were like.

    `feature_ones`: how many rows have each feature, in the model's order. `probability_bins`: how
    many probabilities fall into each bin.
    """

    day: date
    model: str
    version: str
    rows: int
    feature_ones: tuple[int, ...]
    probability_bins: tuple[int, ...]


async def add_scored(
    database: Database, replica_id: uuid.UUID, number: int, scored: Sequence[ScoredRows]
) -> None:
    """Add counts to their days, once for each `number` of the replica; these only grow.

    So a parcel of which it is not known whether it arrived can be sent again, as it was.
    """
    rows = [
        (one.day, one.model, one.version, one.rows, one.feature_ones, one.probability_bins)
        for one in sorted(scored, key=lambda one: (one.day, one.model, one.version))
    ]
    async with database.connection() as connection, connection.transaction():
        if await connection.fetchval(_TAKE_PARCEL, replica_id, number) is not None:
            await connection.executemany(_ADD, rows)


async def fetch_scored(
    database: Database,
    since: date,
    until: date,
    model: str | None = None,
    version: str | None = None,
) -> list[ScoredRows]:
    """Days from `since` to before `until`, of one model or version or of all, by day and name."""
    async with database.connection() as connection:
        rows = await connection.fetch(_FETCH, since, until, model, version)
    return [
        ScoredRows(
            row["day"],
            row["model"],
            row["version"],
            row["rows_scored"],
            tuple(row["feature_ones"]),
            tuple(row["probability_bins"]),
        )
        for row in rows
    ]


async def prune_scored(database: Database, before: date) -> int:
    """Delete the days before that one, and what is known of parcels long gone; how many days."""
    old = timedelta(days=_PARCELS_KEPT_DAYS)
    async with database.connection() as connection:
        await connection.execute(
            "DELETE FROM drift_parcels WHERE taken_at < now() - $1::interval", old
        )
        status = await connection.execute("DELETE FROM drift_days WHERE day < $1", before)
    return int(status.removeprefix("DELETE "))
