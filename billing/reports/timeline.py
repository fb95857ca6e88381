"""How the service did, period by period."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from billing.credits import Credits
from billing.database import Database
from billing.reports.service import Quantiles
from billing.reports.snapshots import fetch_as_of, snapshot
from billing.reports.usage import Sums
from billing.reports.values import Span

_MINUTE = timedelta(minutes=1)

_SUMS = """
SELECT
    date_bin($3, hour, $1) AS period,
    sum(predictions)::bigint AS predictions, sum(instances)::bigint AS instances,
    sum(charged_microcredits)::bigint AS charged, sum(refunded_microcredits)::bigint AS refunded
FROM model_hours
WHERE hour >= $1 AND hour < $2
GROUP BY period
"""

# Sums of floats are exact up to 2^53 requests, and several times faster than of bigints.
_COUNTED = """
    SELECT period, {column}, sum(requests::float8) AS requests
    FROM (
        SELECT date_bin($3, minute, $1) AS period, {column}, requests
        FROM {table}_minutes
        WHERE minute >= $1 AND minute < $2
        UNION ALL
        SELECT date_bin($3, hour, $1), {column}, requests
        FROM {table}_hours
        WHERE hour >= $1 AND hour < $2 AND $3 > interval '1 minute'
    ) AS counted
    GROUP BY period, {column}
"""

_REQUESTS = f"""
SELECT period, outcome, requests::bigint
FROM ({_COUNTED.format(column="outcome", table="request")}) AS by_period
"""  # noqa: S608

_LATENCIES = f"""
SELECT period, array_agg(bucket) AS buckets, array_agg(requests::bigint) AS requests
FROM ({_COUNTED.format(column="bucket", table="latency")}) AS by_period
GROUP BY period
"""  # noqa: S608


@dataclass(slots=True)
class Period:
    """One period. `sums` is None for a minute: the ledger is added up by the hour."""

    begin: datetime
    sums: Sums | None = None
    requests: dict[str, int] = field(default_factory=dict)
    latency: Quantiles | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Periods by time; those in which nothing happened are left out."""

    periods: list[Period]
    as_of: datetime


async def fetch_timeline(database: Database, span: Span, step: timedelta) -> Timeline:
    """Of whole steps. By the minute: as far back as minutes are kept."""
    times = (span.since, span.until, step)
    sums: list[asyncpg.Record] = []
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        if step > _MINUTE:
            sums = await connection.fetch(_SUMS, *times)
        requests = await connection.fetch(_REQUESTS, *times)
        latencies = await connection.fetch(_LATENCIES, *times)
    periods: dict[datetime, Period] = {}

    def period(row: asyncpg.Record) -> Period:
        begin: datetime = row["period"]
        return periods.setdefault(begin, Period(begin))

    for row in sums:
        period(row).sums = Sums(
            row["predictions"], row["instances"], Credits(row["charged"]), Credits(row["refunded"])
        )
    for row in requests:
        period(row).requests[row["outcome"]] = row["requests"]
    for row in latencies:
        buckets = dict(zip(row["buckets"], row["requests"], strict=True))
        period(row).latency = Quantiles.of(buckets)
    return Timeline([periods[begin] for begin in sorted(periods)], as_of)
