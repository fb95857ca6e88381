"""Verdicts are kept, and checks neither pile up nor hold anything up."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from billing import reconcile as checks
from billing.database import Database
from billing.ledger import PostgresLedger
from billing.reconcile import Breach, Report, reconcile
from billing.reconciliations.actions import KEPT_MAX, reconcile_and_keep, reconcile_if_due
from billing.reconciliations.queries import fetch_verdicts
from billing.reconciliations.values import Source
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_NOW = datetime(2030, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@pytest.fixture
async def account_id(ledger: PostgresLedger, make_account: MakeAccount) -> uuid.UUID:
    account_id = await make_account("10")
    await ledger.charge([make_charge(account_id)])
    return account_id


async def test_a_clean_verdict_is_kept(database: Database, account_id: uuid.UUID) -> None:
    report = await reconcile_and_keep(database, Source.CLI, _NOW)
    [verdict] = await fetch_verdicts(database, 10)
    assert (verdict.started_at, verdict.source, verdict.is_clean) == (_NOW, Source.CLI, True)
    assert verdict.rows == report.rows
    assert verdict.rows["entries"] == 2
    assert (verdict.rules, verdict.breaches) == (len(report.rules), ())
    assert 0 < verdict.seconds < 60


async def test_breaches_are_kept_with_their_examples(
    database: Database, account_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("UPDATE balances SET posted = posted + 1")
    await reconcile_and_keep(database, Source.CLI, _NOW)
    [verdict] = await fetch_verdicts(database, 10)
    assert not verdict.is_clean
    assert Breach("balance_equals_sum_of_entries", 1, (str(account_id),)) in verdict.breaches


async def test_the_bookkeeper_checks_when_the_last_verdict_is_old_whoever_made_it(
    database: Database,
) -> None:
    assert await reconcile_if_due(database, _DAY, _NOW) is not None
    assert await reconcile_if_due(database, _DAY, _NOW + _DAY - timedelta(seconds=1)) is None
    await reconcile_and_keep(database, Source.CLI, _NOW + _DAY)
    assert await reconcile_if_due(database, _DAY, _NOW + 2 * _DAY - timedelta(seconds=1)) is None
    assert await reconcile_if_due(database, _DAY, _NOW + 2 * _DAY) is not None
    sources = [verdict.source for verdict in await fetch_verdicts(database, 10)]
    assert sources == [Source.BOOKKEEPER, Source.CLI, Source.BOOKKEEPER]


async def test_several_bookkeepers_check_once(database: Database) -> None:
    reports = await asyncio.gather(*(reconcile_if_due(database, _DAY, _NOW) for _ in range(4)))
    assert len([report for report in reports if report is not None]) == 1
    assert len(await fetch_verdicts(database, 10)) == 1


async def test_a_check_that_failed_leaves_no_lock_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(checks._RULES, "broken", "SELECT nonsense")
        with pytest.raises(asyncpg.UndefinedColumnError):
            await reconcile_if_due(database, _DAY, _NOW)
    assert await fetch_verdicts(database, 10) == []
    assert await reconcile_if_due(database, _DAY, _NOW) is not None


async def test_the_last_hundred_verdicts_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_RULES", {})
    for number in range(KEPT_MAX + 3):
        await reconcile_and_keep(database, Source.CLI, _NOW + number * _DAY)
    verdicts = await fetch_verdicts(database, 1_000)
    assert len(verdicts) == KEPT_MAX
    assert verdicts[0].started_at == _NOW + (KEPT_MAX + 2) * _DAY


async def test_no_snapshot_outlives_its_rule(
    database: Database, superuser: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rules that wait, one after the other: between them the horizon moves on."""
    waits = {name: f"SELECT '{name}' FROM pg_sleep(0.5)" for name in ("first", "second")}
    monkeypatch.setattr(checks, "_RULES", waits)
    checking = asyncio.create_task(reconcile(database))
    horizons = set()
    while not checking.done():
        await superuser.execute("CREATE TABLE IF NOT EXISTS t (); DROP TABLE t")
        horizons.add(
            await superuser.fetchval(
                "SELECT min(backend_xmin::text::bigint) FROM pg_stat_activity"
                " WHERE query LIKE '%pg_sleep%' AND application_name = 'farebox'"
            )
        )
        await asyncio.sleep(0.05)
    report: Report = await checking
    assert len(report.breaches) == 2
    assert len(horizons - {None}) == 2
