"""Fill an embedded PostgreSQL, roll it up, check the reports against raw sums and time each."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from billing.database import Database
from billing.migrate import migrate
from billing.reports.rollups import advance_rows
from billing.reports.service import (
    AccountOrder,
    fetch_latency,
    fetch_models,
    fetch_summary,
    fetch_top_accounts,
)
from billing.reports.statements import fetch_statement
from billing.reports.timeline import fetch_timeline
from billing.reports.usage import fetch_usage
from billing.reports.values import DAY, HOUR, Group, Month, Span, Step
from billing.settings import BillingSettings
from farebox.postgres import embedded_postgres
from ops.report_bench.ledger import Size, generate

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
LIMIT_SECONDS = 0.3
_RUNS = 5
_BUSIEST = "SELECT account_id FROM account_days GROUP BY 1 ORDER BY sum(predictions) DESC LIMIT 1"
_RAW = "SELECT count(*), sum(amount_microcredits)::bigint FROM predictions"

Report = Callable[[], Awaitable[object]]


def say(line: str) -> None:
    """To the standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def run(url: str, size: Size) -> bool:
    """Whether every report was right and fast enough."""
    await migrate(url)
    owner = await asyncpg.connect(url)
    database = Database(BillingSettings(database_url=url, key_hash_secret="0" * 32))
    try:
        began = time.perf_counter()
        await generate(owner, size, UNTIL)
        say(f"generated {size} in {time.perf_counter() - began:.0f} s")
        await _roll_up(database)
        await owner.execute("ANALYZE")
        is_right = await _check(owner, database, size)
        return await _time_all(owner, database, size) and is_right
    finally:
        await database.close()
        await owner.close()


async def _roll_up(database: Database) -> None:
    began, entries = time.perf_counter(), 0
    while rows := await advance_rows(database):
        entries += rows
    seconds = time.perf_counter() - began
    say(f"rolled up {entries} entries in {seconds:.0f} s: {entries / seconds:.0f} a second")


def _whole(size: Size) -> Span:
    return Span(UNTIL - timedelta(days=size.days), UNTIL)


async def _check(owner: asyncpg.Connection, database: Database, size: Size) -> bool:
    predictions, charged = await owner.fetchrow(_RAW)
    sums = (await fetch_summary(database, _whole(size))).sums
    is_right = (sums.predictions, sums.charged.microcredits) == (predictions, charged)
    say(f"the report equals the raw sums: {is_right}")
    return is_right


async def _time_all(owner: asyncpg.Connection, database: Database, size: Size) -> bool:
    busiest = await owner.fetchval(_BUSIEST)
    whole = _whole(size)
    last_day = Span(UNTIL - timedelta(days=1), UNTIL)
    groups = {Group.MODEL, Group.VERSION}
    charged = AccountOrder.CHARGED
    reports: dict[str, Report] = {
        "summary": lambda: fetch_summary(database, whole),
        "timeline by day": lambda: fetch_timeline(database, whole, DAY),
        "timeline by hour": lambda: fetch_timeline(database, whole, HOUR),
        "timeline by minute, a day": lambda: fetch_timeline(
            database, last_day, timedelta(minutes=1)
        ),
        "models": lambda: fetch_models(database, whole),
        "accounts": lambda: fetch_top_accounts(database, whole, charged, 20),
        "latency": lambda: fetch_latency(database, whole),
        "usage by day and model": lambda: fetch_usage(
            database, busiest, whole, step=Step.DAY, groups=groups
        ),
        "statement": lambda: fetch_statement(database, busiest, Month(2026, 10)),
    }
    is_fast = True
    for name, report in reports.items():
        seconds = [await _time(report) for _ in range(_RUNS)]
        median, worst = statistics.median(seconds), max(seconds)
        is_fast = is_fast and median < LIMIT_SECONDS
        say(f"  {name:28} median {median * 1000:6.1f} ms   worst {worst * 1000:6.1f} ms")
    return is_fast


async def _time(report: Report) -> float:
    began = time.perf_counter()
    await report()
    return time.perf_counter() - began


def main(
    predictions: Annotated[int, typer.Option(min=1_000)] = 10_000_000,
    accounts: Annotated[int, typer.Option(min=1)] = 10_000,
    days: Annotated[int, typer.Option(min=1)] = 90,
) -> None:
    """About 10 GB of disk at the full size; all of it is removed again."""
    folder = Path(tempfile.mkdtemp(prefix="fbr"))
    try:
        with embedded_postgres(folder / "pg") as server:
            is_good = asyncio.run(run(server.url, Size(predictions, accounts, days)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(not is_good)


if __name__ == "__main__":
    typer.run(main)
