"""What replicas count by the minute: stored as it is sent, later folded into hours."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.database import Database

_FOLD_SPAN = timedelta(hours=1)
"""How much is folded by one transaction."""

_STORE_REQUESTS = """
INSERT INTO request_minutes (minute, replica_id, outcome, requests)
SELECT minute, $1, outcome, requests
FROM unnest($2::timestamptz[], $3::text[], $4::bigint[]) AS counted (minute, outcome, requests)
ON CONFLICT (minute, replica_id, outcome) DO UPDATE SET requests = excluded.requests
"""

_STORE_LATENCIES = """
INSERT INTO latency_minutes (minute, replica_id, bucket, requests)
SELECT minute, $1, bucket, requests
FROM unnest($2::timestamptz[], $3::smallint[], $4::bigint[]) AS counted (minute, bucket, requests)
ON CONFLICT (minute, replica_id, bucket) DO UPDATE SET requests = excluded.requests
"""

_OLDEST = """
SELECT least(
    (SELECT minute FROM request_minutes ORDER BY minute LIMIT 1),
    (SELECT minute FROM latency_minutes ORDER BY minute LIMIT 1)
)
"""

_FOLD = """
WITH gone AS (DELETE FROM {table}_minutes WHERE minute < $1 RETURNING minute, {column}, requests)
INSERT INTO {table}_hours (hour, {column}, requests)
SELECT date_trunc('hour', minute, 'UTC') AS hour, {column}, sum(requests)
FROM gone
GROUP BY hour, {column}
ORDER BY hour, {column}
ON CONFLICT (hour, {column}) DO UPDATE SET requests = {table}_hours.requests + excluded.requests
"""
_FOLD_REQUESTS = _FOLD.format(table="request", column="outcome")
_FOLD_LATENCIES = _FOLD.format(table="latency", column="bucket")


@dataclass(frozen=True, slots=True)
class MinuteCounts:
    """All that one replica counted in one minute."""

    minute: datetime
    outcomes: Mapping[str, int]
    latencies: Mapping[int, int]
    """Requests by `latency.bucket_of`."""


async def store_minutes(
    database: Database, replica_id: uuid.UUID, minutes: Sequence[MinuteCounts]
) -> None:
    """Set what the replica counted in these minutes, whatever it said of them before.

    So it can be sent again when it is not known whether it arrived.
    """
    requests = [(m.minute, name, n) for m in minutes for name, n in m.outcomes.items()]
    latencies = [(m.minute, bucket, n) for m in minutes for bucket, n in m.latencies.items()]
    async with database.connection() as connection, connection.transaction():
        for statement, rows in ((_STORE_REQUESTS, requests), (_STORE_LATENCIES, latencies)):
            if rows:
                await connection.execute(statement, replica_id, *map(list, zip(*rows, strict=True)))


async def fold_minutes(database: Database, older_than: datetime) -> bool:
    """Move minutes before that time into their hours, oldest first; whether more are waiting.

    A replica must not send a minute of that age again. Of two that fold at once, each row is
    moved by whoever deletes it.
    """
    async with database.connection() as connection, connection.transaction():
        oldest: datetime | None = await connection.fetchval(_OLDEST)
        if oldest is None or oldest >= older_than:
            return False
        until = min(older_than, oldest + _FOLD_SPAN)
        await connection.execute(_FOLD_REQUESTS, until)
        await connection.execute(_FOLD_LATENCIES, until)
        return until < older_than
