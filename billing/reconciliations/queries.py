"""Read the verdicts of reconciliations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import Row, select

from billing.database import Database
from billing.reconcile import Breach
from billing.reconciliations.tables import reconciliations
from billing.reconciliations.values import Source, Verdict

_IS_DUE = "SELECT NOT EXISTS (SELECT FROM reconciliations WHERE started_at > $1)"


async def fetch_verdicts(database: Database, limit: int) -> list[Verdict]:
    """The last ones, newest first."""
    query = select(reconciliations).order_by(reconciliations.c.id.desc()).limit(limit)
    async with database.begin() as connection:
        return [_verdict(row) for row in await connection.execute(query)]


async def is_due(connection: asyncpg.Connection, since: datetime) -> bool:
    """Whether none was begun after `since`."""
    due: bool = await connection.fetchval(_IS_DUE, since)
    return due


def _verdict(row: Row[*tuple[Any, ...]]) -> Verdict:
    return Verdict(
        id=row.id,
        started_at=row.started_at,
        seconds=row.seconds,
        rows=row.rows_checked,
        rules=row.rules_checked,
        breaches=tuple(
            Breach(each["rule"], each["count"], tuple(each["examples"])) for each in row.breaches
        ),
        is_clean=row.clean,
        source=Source(row.source),
    )
