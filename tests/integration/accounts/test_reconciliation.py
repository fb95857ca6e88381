"""Operators see whether the ledger is clean; the bookkeeper checks it."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest
from structlog.testing import capture_logs

from serve.accounts.chores import make_chores
from serve.accounts.reconciliations.watch import LedgerWatch
from serve.accounts.services import Services
from serve.accounts.settings import AccountsSettings
from tests.support.accounts import CHEAP_PASSWORDS, AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

PATH = "/v1/reports/reconciliation"


def with_hours(services: Services, hours: float) -> Services:
    settings = AccountsSettings(reconcile_hours=hours, **CHEAP_PASSWORDS)
    return replace(services, settings=settings)


async def test_a_ledger_that_was_never_checked_has_no_verdict(operator: Person) -> None:
    assert (await operator.client.get(PATH)).json() == {"every_hours": 24.0, "verdicts": []}


async def test_operators_see_the_last_ten_verdicts_newest_first(
    app: AccountsApp, operator: Person, superuser: asyncpg.Connection
) -> None:
    watch = LedgerWatch(with_hours(app.services, 1))
    for number in range(12):
        await superuser.execute("UPDATE balances SET posted = $1", number % 2)
        app.clock.forward(hours=1)
        await watch.look()
    verdicts = (await operator.client.get(PATH)).json()["verdicts"]
    assert [verdict["clean"] for verdict in verdicts] == [False, True] * 5
    assert verdicts == sorted(verdicts, key=lambda each: str(each["started_at"]), reverse=True)
    broken = verdicts[0]
    assert broken["source"] == "bookkeeper"
    [breach] = [
        each for each in broken["breaches"] if each["rule"] == "balance_equals_sum_of_entries"
    ]
    assert (breach["count"], breach["examples"]) == (1, [str(operator.account_id)])
    assert broken["rows"]["balances"] == 1
    assert broken["rules"] > 20


async def test_nothing_is_checked_while_the_product_starts(
    app: AccountsApp, operator: Person
) -> None:
    watch = LedgerWatch(app.services)
    with capture_logs() as logs:
        await watch.look()
        assert logs == []
        await watch.look()
        await watch.look()
    assert [log["event"] for log in logs] == ["ledger_clean"]


async def test_a_breach_is_an_error_in_the_log(
    app: AccountsApp, operator: Person, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("UPDATE balances SET posted = 1")
    watch = LedgerWatch(app.services)
    await watch.look()
    with capture_logs() as logs:
        await watch.look()
    rules = [log["rule"] for log in logs if log["event"] == "ledger_breach"]
    assert "balance_equals_sum_of_entries" in rules
    assert {log["log_level"] for log in logs} == {"error"}


async def test_how_often_is_a_setting_and_0_is_never(app: AccountsApp) -> None:
    def pauses(hours: float) -> list[float]:
        chores = make_chores(with_hours(app.services, hours))
        return [each.pause_seconds for each in chores if each.name == "reconciliation"]

    assert pauses(24) == [3_600]
    assert pauses(0.1) == [360]
    assert pauses(0) == []
