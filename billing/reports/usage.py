"""What an account used: predictions and credits by period, model, version and key."""

from __future__ import annotations

import uuid
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from billing.credits import Credits
from billing.database import Database
from billing.reports.errors import ReportTooLarge
from billing.reports.snapshots import fetch_as_of, snapshot
from billing.reports.values import Group, Span, Step

ROWS_MAX = 10_000

_COLUMNS = {Group.MODEL: "model", Group.VERSION: "version", Group.KEY: "key_id"}

_USAGE = """
SELECT
    date_trunc($4, hour, 'UTC') AS period, {columns},
    sum(predictions)::bigint AS predictions, sum(instances)::bigint AS instances,
    sum(charged_microcredits)::bigint AS charged, sum(refunded_microcredits)::bigint AS refunded
FROM usage_hours
WHERE account_id = $1 AND hour >= $2 AND hour < $3
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """Predictions and what was paid for them."""

    predictions: int
    instances: int
    charged: Credits
    refunded: Credits


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The use of one period; what it is not kept apart by is None."""

    period: datetime
    model: str | None
    version: str | None
    key_id: str | None
    sums: Sums


@dataclass(frozen=True, slots=True)
class Usage:
    """Rows by time; periods without use have none."""

    rows: list[UsageRow]
    as_of: datetime


async def fetch_usage(
    database: Database,
    account_id: uuid.UUID,
    span: Span,
    *,
    step: Step,
    groups: Set[Group],
    rows_max: int = ROWS_MAX,
) -> Usage:
    """Of whole hours. Raises ReportTooLarge."""
    columns = ", ".join(
        f"{name} AS {name}" if group in groups else f"NULL::text AS {name}"
        for group, name in _COLUMNS.items()
    )
    query = _USAGE.format(columns=columns)
    async with snapshot(database) as connection:
        as_of = await fetch_as_of(connection)
        found = await connection.fetch(
            query, account_id, span.since, span.until, step, rows_max + 1
        )
    if len(found) > rows_max:
        raise ReportTooLarge(f"more than {rows_max} rows")
    rows = [
        UsageRow(
            row["period"],
            row["model"],
            row["version"],
            row["key_id"],
            Sums(
                row["predictions"],
                row["instances"],
                Credits(row["charged"]),
                Credits(row["refunded"]),
            ),
        )
        for row in found
    ]
    return Usage(rows, as_of)
