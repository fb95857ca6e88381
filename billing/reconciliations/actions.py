"""Check the whole ledger and keep the verdict."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import datetime, timedelta

import asyncpg

from billing.database import Database
from billing.reconcile import Report, check_rules
from billing.reconciliations.queries import is_due
from billing.reconciliations.values import Source

KEPT_MAX = 100
"""Verdicts that are kept: with one a day, those of three months."""

# Any number will do that nothing else in this database locks: the migrations have the one before.
_ADVISORY_LOCK = 7_315_024_119

_KEEP = """
INSERT INTO reconciliations (
    started_at, seconds, rows_checked, rules_checked, breaches, clean, source
) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

_PRUNE = f"""
DELETE FROM reconciliations
WHERE id <= (SELECT id FROM reconciliations ORDER BY id DESC OFFSET {KEPT_MAX} LIMIT 1)
"""  # noqa: S608 - the number is ours


async def reconcile_and_keep(database: Database, source: Source, now: datetime) -> Report:
    """Check every rule, whoever else does so, and store what was found."""
    async with database.connection() as connection:
        return await _reconcile(connection, source, now)


async def reconcile_if_due(database: Database, every: timedelta, now: datetime) -> Report | None:
    """Unless the last check was begun less than `every` ago, or another caller is at one.

    One connection is used for all of the check's time: its session holds the lock.
    """
    async with database.connection() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_LOCK):
            return None
        # Under the lock: who had it before has stored its verdict.
        report = None
        if await is_due(connection, now - every):
            report = await _reconcile(connection, Source.BOOKKEEPER, now)
        # Where anything above fails, the lock goes with the connection.
        await connection.execute("SELECT pg_advisory_unlock($1)", _ADVISORY_LOCK)
        return report


async def _reconcile(connection: asyncpg.Connection, source: Source, now: datetime) -> Report:
    begin = time.monotonic()
    report = await check_rules(connection)
    async with connection.transaction():
        await connection.execute(
            _KEEP,
            now,
            time.monotonic() - begin,
            json.dumps(report.rows),
            len(report.rules),
            json.dumps([asdict(breach) for breach in report.breaches]),
            report.is_clean,
            source,
        )
        await connection.execute(_PRUNE)
    return report
