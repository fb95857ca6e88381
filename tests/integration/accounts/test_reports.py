"""Usage, statements and operators' reports say what the ledger says."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import asyncpg
import pytest

from billing.reports.rollups import advance
from tests.support.accounts import AccountsApp, Person
from tests.support.ledger_rows import BEGIN, write_entries

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SPAN = {"since": "2026-01-30T00:00:00Z", "until": "2026-02-05T00:00:00Z"}
REPORTS = ["summary", "timeline", "models", "accounts", "latency"]


@pytest.fixture
async def filled(
    app: AccountsApp, anna: Person, boris: Person, superuser: asyncpg.Connection
) -> AccountsApp:
    """Two accounts with entries around the end of January."""
    app.clock.time = max(app.clock.time, datetime(2026, 3, 1, tzinfo=UTC))
    await superuser.execute("DELETE FROM entries")
    random = Random(4)
    for _ in range(6):
        await write_entries(superuser, random, [anna.account_id, boris.account_id], 40)
    while await advance(app.services.database, 50):
        pass
    return app


def credits_of(microcredits: int) -> Decimal:
    return Decimal(microcredits) / 1_000_000


async def test_usage_adds_up_to_the_predictions_however_it_is_grouped(
    filled: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    raw = await superuser.fetchrow(
        "SELECT count(*) AS n, sum(instances) AS i, sum(amount_microcredits)::bigint AS paid"
        " FROM predictions WHERE account_id = $1",
        anna.account_id,
    )
    for by in ("hour", "day", "month"):
        for group in ("", "model", "model,version", "key", "model,version,key"):
            answer = await anna.client.get("/v1/usage", params={**SPAN, "by": by, "group": group})
            rows = answer.json()["rows"]
            assert sum(row["predictions"] for row in rows) == raw["n"]
            assert sum(row["instances"] for row in rows) == raw["i"]
            charged = sum(Decimal(row["charged"]) for row in rows)
            assert charged == credits_of(raw["paid"])
            assert all((row["model"] is None) == ("model" not in group) for row in rows)


async def test_statements_join_across_the_end_of_the_month(
    filled: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    months = (await anna.client.get("/v1/statements")).json()["items"]
    assert {"month": "2026-01", "complete": True} in months
    closing = Decimal(0)
    for month in ("2026-01", "2026-02", "2026-03"):
        statement = (await anna.client.get(f"/v1/statements/{month}")).json()
        assert Decimal(statement["opening"]) == closing
        closing += sum(Decimal(kind["amount"]) for kind in statement["kinds"])
        assert Decimal(statement["closing"]) == closing
        by_kind = {kind["kind"]: Decimal(kind["amount"]) for kind in statement["kinds"]}
        charged = sum(Decimal(model["charged"]) for model in statement["models"])
        assert -charged == by_kind.get("charge", 0)
    total = await superuser.fetchval(
        "SELECT sum(amount_microcredits)::bigint FROM entries WHERE account_id = $1",
        anna.account_id,
    )
    assert closing == credits_of(total)


async def test_statement_as_csv_has_the_same_sums(filled: AccountsApp, anna: Person) -> None:
    path = "/v1/statements/2026-01"
    lines = (await anna.client.get(path, params={"format": "csv"})).text.splitlines()
    statement = (await anna.client.get(path)).json()
    assert lines[0] == "line,name,version,count,amount"
    assert lines[-1] == f"closing,2026-01,,,{statement['closing']}"


async def test_a_month_to_come_is_not_found_and_a_wrong_one_refused(anna: Person) -> None:
    assert (await anna.client.get("/v1/statements/9000-01")).status_code == 404
    for wrong in ("2026-13", "202601", "may"):
        assert (await anna.client.get(f"/v1/statements/{wrong}")).status_code == 422


async def test_a_month_is_incomplete_until_its_entries_are_rolled_up(
    filled: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    await write_entries(superuser, Random(8), [anna.account_id], 5, hours=1)
    waiting = (await anna.client.get("/v1/statements/2026-01")).json()
    assert not waiting["complete"]
    assert datetime.fromisoformat(waiting["as_of"]) >= BEGIN
    await advance(filled.services.database)
    assert (await anna.client.get("/v1/statements/2026-01")).json()["complete"]


async def test_reports_equal_the_raw_sums(
    filled: AccountsApp, operator: Person, superuser: asyncpg.Connection
) -> None:
    raw = await superuser.fetchrow(
        "SELECT count(*) FILTER (WHERE kind = 'charge') AS n,"
        " -sum(amount_microcredits) FILTER (WHERE kind = 'charge')::bigint AS charged,"
        " sum(amount_microcredits) FILTER (WHERE kind = 'top_up')::bigint AS sold FROM entries"
    )
    summary = (await operator.client.get("/v1/reports/summary", params=SPAN)).json()
    assert summary["predictions"] == raw["n"]
    assert Decimal(summary["charged"]) == credits_of(raw["charged"])
    assert Decimal(summary["sold"]) == credits_of(raw["sold"])
    assert summary["active_accounts"] == 2
    for report, rows in (("timeline", "periods"), ("models", "models"), ("accounts", "accounts")):
        found = (await operator.client.get(f"/v1/reports/{report}", params=SPAN)).json()[rows]
        assert sum(row["predictions"] for row in found) == raw["n"], report


async def test_requests_and_latencies_come_from_what_replicas_counted(
    operator: Person, superuser: asyncpg.Connection
) -> None:
    await superuser.execute(
        "INSERT INTO request_minutes SELECT '2026-02-01 10:01Z', uuidv7(), outcome, n FROM"
        " (VALUES ('charged', 90), ('replayed', 5), ('queue_full', 3), ('internal_error', 2))"
        " AS counted (outcome, n)"
    )
    await superuser.execute("INSERT INTO request_hours VALUES ('2026-02-01 09:00Z', 'charged', 7)")
    await superuser.execute("INSERT INTO latency_hours VALUES ('2026-02-01 09:00Z', 40, 100)")
    summary = (await operator.client.get("/v1/reports/summary", params=SPAN)).json()
    assert summary["requests"] == {"total": 107, "answered": 102, "refused": 3, "failed": 2}
    assert summary["refusals"] == {"queue_full": 3, "internal_error": 2}
    assert summary["latency"]["p50_ms"] == pytest.approx(3.3, rel=0.05)
    timeline = (await operator.client.get("/v1/reports/timeline", params=SPAN)).json()
    assert [each["requests"]["total"] for each in timeline["periods"]] == [7, 100]


async def test_operators_read_an_account_and_users_nothing_of_others(
    filled: AccountsApp, anna: Person, operator: Person
) -> None:
    own = (await anna.client.get("/v1/usage", params=SPAN)).json()["rows"]
    base = f"/v1/accounts/{anna.account_id}"
    assert (await operator.client.get(f"{base}/usage", params=SPAN)).json()["rows"] == own
    assert (await operator.client.get(f"{base}/statements/2026-01")).status_code == 200
    unknown = await operator.client.get(f"/v1/accounts/{operator.account_id.hex[::-1]}/usage")
    assert unknown.status_code == 404
    for path in (f"{base}/usage", f"{base}/statements/2026-01"):
        assert (await anna.client.get(path)).status_code == 403
    for report in REPORTS:
        assert (await anna.client.get(f"/v1/reports/{report}")).status_code == 403
        assert (await operator.client.get(f"/v1/reports/{report}")).status_code == 200


async def test_too_many_periods_are_refused_by_name(operator: Person) -> None:
    answer = await operator.client.get("/v1/reports/timeline", params={**SPAN, "by": "minute"})
    assert (answer.status_code, answer.json()["code"]) == (422, "report_too_large")
