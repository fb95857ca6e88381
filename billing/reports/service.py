"""How the whole service does, over all accounts: for its operators."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from typing import Any

import asyncpg

from billing.credits import ZERO, Credits
from billing.database import Database
from billing.posting import Kind
from billing.reports.latency import middle_seconds
from billing.reports.snapshots import fetch_as_of, snapshot
from billing.reports.statements import ModelSum
from billing.reports.usage import Sums
from billing.reports.values import DAY, Span

_SUMS = """
    coalesce(sum(predictions), 0)::bigint AS predictions,
    coalesce(sum(instances), 0)::bigint AS instances,
    coalesce(sum(charged_microcredits), 0)::bigint AS charged,
    coalesce(sum(refunded_microcredits), 0)::bigint AS refunded
"""

_TOTAL = f"SELECT {_SUMS} FROM model_hours WHERE hour >= $1 AND hour < $2"  # noqa: S608

_KINDS = """
SELECT kind, sum(amount_microcredits)::bigint AS amount
FROM kind_hours
WHERE hour >= $1 AND hour < $2
GROUP BY kind
"""

_ACTIVE = """
SELECT count(*)
FROM (
    SELECT account_id
    FROM account_days
    WHERE day >= $1 AND day < $2 AND predictions > 0
    GROUP BY account_id
) AS active
"""

_REQUESTS = """
SELECT outcome, sum(requests)::bigint AS requests
FROM (
    SELECT outcome, requests FROM request_minutes WHERE minute >= $1 AND minute < $2
    UNION ALL
    SELECT outcome, requests FROM request_hours WHERE hour >= $1 AND hour < $2
) AS counted
GROUP BY outcome
"""

_BUCKETS = """
SELECT bucket, sum(requests)::bigint AS requests
FROM (
    SELECT bucket, requests FROM latency_minutes WHERE minute >= $1 AND minute < $2
    UNION ALL
    SELECT bucket, requests FROM latency_hours WHERE hour >= $1 AND hour < $2
) AS counted
GROUP BY bucket
ORDER BY bucket
"""

_MODELS = f"""
SELECT model, version, {_SUMS}
FROM model_hours
WHERE hour >= $1 AND hour < $2
GROUP BY model, version
ORDER BY charged DESC, model, version
"""  # noqa: S608

# One sum orders all accounts; the others are added up for the few that are shown.
_ACCOUNTS = f"""
WITH top AS MATERIALIZED (
    SELECT account_id, sum({{column}}) AS ordering
    FROM account_days
    WHERE day >= $1 AND day < $2
    GROUP BY account_id
    ORDER BY ordering DESC, account_id
    LIMIT $3
)
SELECT account_id, totals.*
FROM top
CROSS JOIN LATERAL (
    SELECT {_SUMS}
    FROM account_days
    WHERE day IN (SELECT generate_series($1::timestamptz, $2 - interval '1 day', '1 day'))
        AND account_days.account_id = top.account_id
) AS totals
ORDER BY ordering DESC, account_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Latencies of answered requests in seconds; within 4.5 %."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, buckets: Mapping[int, int]) -> Quantiles | None:
        """Of so many requests in each bucket; None of none."""
        if not buckets:
            return None
        ordered = sorted(buckets)
        so_far = list(accumulate(buckets[bucket] for bucket in ordered))
        return cls(
            *(
                middle_seconds(ordered[bisect_left(so_far, share * so_far[-1])])
                for share in (0.5, 0.95, 0.99)
            )
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """The service's totals. Amounts of `kinds` are the entries': below zero, credits left."""

    sums: Sums
    kinds: dict[Kind, Credits]
    active_accounts: int
    requests: dict[str, int]
    latency: Quantiles | None
    as_of: datetime

    def amount(self, kind: Kind) -> Credits:
        return self.kinds.get(kind, ZERO)


@dataclass(frozen=True, slots=True)
class TopAccount:
    """An account and what it used; its name is an address, and not for reports."""

    account_id: uuid.UUID
    sums: Sums


class AccountOrder(StrEnum):
    """What makes an account a top one."""

    CHARGED = "charged"
    PREDICTIONS = "predictions"

    @property
    def column(self) -> str:
        return "charged_microcredits" if self is AccountOrder.CHARGED else "predictions"


async def fetch_summary(database: Database, span: Span) -> Summary:
    """Of whole hours; active accounts of the whole days around them."""
    days = span.outward(DAY)
    times = (span.since, span.until)
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        total = await connection.fetchrow(_TOTAL, *times)
        kinds = await connection.fetch(_KINDS, *times)
        active = await connection.fetchval(_ACTIVE, days.since, days.until)
        requests = await connection.fetch(_REQUESTS, *times)
        buckets = await connection.fetch(_BUCKETS, *times)
    return Summary(
        sums=_sums(total),
        kinds={Kind(row["kind"]): Credits(row["amount"]) for row in kinds},
        active_accounts=active,
        requests=_counts(requests),
        latency=Quantiles.of(_counts(buckets)),
        as_of=as_of,
    )


async def fetch_latency(database: Database, span: Span) -> tuple[dict[int, int], datetime]:
    """Answered requests by `latency.bucket_of`, and up to when the rollups have come."""
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        buckets = await connection.fetch(_BUCKETS, span.since, span.until)
    return _counts(buckets), as_of


async def fetch_models(database: Database, span: Span) -> tuple[list[ModelSum], datetime]:
    """Every model and version that was used, the best paid first."""
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        rows = await connection.fetch(_MODELS, span.since, span.until)
    return [ModelSum(row["model"], row["version"], _sums(row)) for row in rows], as_of


async def fetch_top_accounts(
    database: Database, span: Span, order: AccountOrder, count: int
) -> tuple[list[TopAccount], datetime]:
    """The first accounts in that order, over whole days."""
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        query = _ACCOUNTS.format(column=order.column)
        rows = await connection.fetch(query, span.since, span.until, count)
    return [TopAccount(row["account_id"], _sums(row)) for row in rows], as_of


def _sums(row: asyncpg.Record) -> Sums:
    return Sums(
        row["predictions"], row["instances"], Credits(row["charged"]), Credits(row["refunded"])
    )


def _counts(rows: list[asyncpg.Record]) -> dict[Any, int]:
    """By what the first column says: an outcome, a bucket."""
    return dict(map(tuple, rows))
