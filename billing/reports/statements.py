"""An account's month: what it began with, what came and went, what it ended with."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from billing.credits import ZERO, Credits
from billing.database import Database
from billing.posting import Kind
from billing.reports.snapshots import fetch_as_of, snapshot
from billing.reports.usage import Sums
from billing.reports.values import Month

SETTLED_AFTER = timedelta(minutes=1)
"""No transaction lives so long, by the limits on our statements: what began in a month is in."""

_KINDS = """
SELECT
    kind,
    coalesce(sum(amount_microcredits) FILTER (WHERE hour < $2), 0)::bigint AS before,
    coalesce(sum(amount_microcredits) FILTER (WHERE hour >= $2), 0)::bigint AS amount,
    coalesce(sum(entries) FILTER (WHERE hour >= $2), 0)::bigint AS entries
FROM entry_hours
WHERE account_id = $1 AND hour < $3
GROUP BY kind
"""

_MODELS = """
SELECT
    model, version,
    sum(predictions)::bigint AS predictions, sum(instances)::bigint AS instances,
    sum(charged_microcredits)::bigint AS charged, sum(refunded_microcredits)::bigint AS refunded
FROM usage_hours
WHERE account_id = $1 AND hour >= $2 AND hour < $3
GROUP BY model, version
ORDER BY model, version
"""

_FIRST_HOUR = "SELECT min(hour) FROM entry_hours WHERE account_id = $1"


@dataclass(frozen=True, slots=True)
class KindSum:
    """All entries of one kind. Below zero: credits left."""

    kind: Kind
    entries: int
    amount: Credits


@dataclass(frozen=True, slots=True)
class ModelSum:
    """All predictions by one version of a model."""

    model: str
    version: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Statement:
    """`opening` and the amounts of `kinds` make `closing`."""

    month: Month
    opening: Credits
    kinds: list[KindSum]
    models: list[ModelSum]
    as_of: datetime

    @property
    def closing(self) -> Credits:
        return sum((each.amount for each in self.kinds), self.opening)

    @property
    def is_complete(self) -> bool:
        """The month is over and nothing can be added to it."""
        return is_complete(self.month, self.as_of)


@dataclass(frozen=True, slots=True)
class MonthList:
    """Months that an account has a statement of, newest first."""

    months: list[Month]
    as_of: datetime


def is_complete(month: Month, as_of: datetime) -> bool:
    """Whether all entries of the month are in rollups that have come to `as_of`."""
    return as_of >= month.end + SETTLED_AFTER


async def fetch_statement(database: Database, account_id: uuid.UUID, month: Month) -> Statement:
    """As far as the rollups have come; a month without entries has none."""
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        kinds = await connection.fetch(_KINDS, account_id, month.begin, month.end)
        models = await connection.fetch(_MODELS, account_id, month.begin, month.end)
    by_kind = {row["kind"]: row for row in kinds}
    return Statement(
        month=month,
        opening=sum((Credits(row["before"]) for row in kinds), ZERO),
        kinds=[
            KindSum(kind, by_kind[kind]["entries"], Credits(by_kind[kind]["amount"]))
            for kind in Kind
            if kind in by_kind and by_kind[kind]["entries"]
        ],
        models=[_model_sum(row) for row in models],
        as_of=as_of,
    )


async def fetch_months(database: Database, account_id: uuid.UUID, now: datetime) -> MonthList:
    """From the month of the first entry to that of `now`; none before the first entry."""
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        first: datetime | None = await connection.fetchval(_FIRST_HOUR, account_id)
    months = []
    month = Month.of(now)
    while first is not None and month >= Month.of(first):
        months.append(month)
        month = month.previous
    return MonthList(months, as_of)


def _model_sum(row: asyncpg.Record) -> ModelSum:
    sums = Sums(
        row["predictions"], row["instances"], Credits(row["charged"]), Credits(row["refunded"])
    )
    return ModelSum(row["model"], row["version"], sums)
