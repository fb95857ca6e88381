"""Connections: what they may do, and how their failures are named."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest
from sqlalchemy import text

from billing.database import Database
from billing.errors import LedgerUnavailable
from billing.settings import BillingSettings

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'farebox'"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET amount_microcredits = 0",
        "DELETE FROM entries",
        "TRUNCATE entries",
        "UPDATE predictions SET instances = 1",
        "DELETE FROM predictions",
        "UPDATE answers SET predictions = ''",
        "UPDATE balances SET account_id = gen_random_uuid()",
        "DELETE FROM balances",
        "UPDATE accounts SET id = gen_random_uuid()",
        "DELETE FROM accounts",
        "UPDATE api_keys SET secret_hash = ''",
        "DELETE FROM api_keys",
        "UPDATE prices SET amount_microcredits = 0",
        "DELETE FROM prices",
        "UPDATE audit SET action = ''",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM welcomed_addresses",
        "UPDATE users SET account_id = gen_random_uuid()",
        "UPDATE sessions SET expires_at = now()",
        "DROP TABLE entries",
        "ALTER TABLE balances DROP CONSTRAINT balances_available_not_negative",
        "CREATE TABLE mine ()",
        "ALTER TABLE prices DISABLE TRIGGER ALL",
    ],
)
async def test_application_may_not(statement: str, database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.connection() as connection:
            await connection.execute(statement)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM entries, balances, predictions, prices, audit",
        "SELECT * FROM entry_hours, usage_hours, account_days, model_hours, kind_hours",
        "SELECT * FROM request_minutes, latency_minutes",
        "SELECT * FROM grants, top_ups, refunds, holds, debts",
        "SELECT account_id, role, created_at FROM users",
        "SELECT id, account_id, scopes FROM api_keys",
        "SELECT id, account_id, status, decision_reason FROM refund_requests",
        "SELECT * FROM reconciliations",
    ],
)
async def test_reporter_reads_what_reports_are_made_of(
    query: str, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("SET ROLE farebox_reporter")
    await superuser.fetch(query)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM users",
        "SELECT email FROM users",
        "SELECT * FROM users",
        "SELECT secret_hash FROM api_keys",
        "SELECT * FROM api_keys",
        "SELECT token_hash FROM sessions",
        "SELECT token_hash FROM email_tokens",
        "SELECT address_hash FROM welcomed_addresses",
        "SELECT secret FROM alerts",
        "SELECT payload FROM deliveries",
        "SELECT reason FROM refund_requests",
        "INSERT INTO audit (actor_role, action) VALUES ('admin', 'x')",
        "UPDATE balances SET posted = 1",
        "DELETE FROM entries",
    ],
)
async def test_reporter_may_not(statement: str, superuser: asyncpg.Connection) -> None:
    await superuser.execute("SET ROLE farebox_reporter")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await superuser.execute(statement)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("role", "farebox_app"),
        ("synchronous_commit", "on"),
        ("default_transaction_isolation", "read committed"),
        ("lock_timeout", "2s"),
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ],
)
async def test_connections_do_not_rely_on_the_servers_defaults(
    setting: str, value: str, database: Database, superuser: asyncpg.Connection
) -> None:
    name = await superuser.fetchval("SELECT current_database()")
    await superuser.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with database.connection() as connection:
        assert await connection.fetchval(f"SHOW {setting}") == value


async def test_writable_server_passes(database: Database) -> None:
    await database.check_writable()


async def test_server_that_is_not_there_is_unavailable(settings: BillingSettings) -> None:
    database = Database(
        settings.model_copy(update={"database_url": "postgresql://postgres@/x?host=/nowhere"})
    )
    with pytest.raises(LedgerUnavailable):
        await database.check_writable()
    with pytest.raises(LedgerUnavailable):
        async with database.begin():
            pass


async def test_missing_database_is_unavailable(settings: BillingSettings) -> None:
    url = settings.database_url.replace("test_", "missing_")
    database = Database(settings.model_copy(update={"database_url": url}))
    with pytest.raises(LedgerUnavailable):
        await database.check_writable()


async def test_connections_closed_by_the_server_are_replaced(
    database: Database, superuser: asyncpg.Connection
) -> None:
    await asyncio.gather(*(database.check_writable() for _ in range(4)))
    await superuser.execute(_TERMINATE)
    await asyncio.sleep(0.1)
    await asyncio.gather(*(database.check_writable() for _ in range(4)))
    await superuser.execute(_TERMINATE)
    await asyncio.sleep(0.1)
    async with database.begin() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("access", ["connection", "begin"])
async def test_connection_lost_inside_the_block_is_unavailable(
    access: str, database: Database, superuser: asyncpg.Connection
) -> None:
    statement = "SELECT pg_sleep(5)"

    async def sleep() -> None:
        async with getattr(database, access)() as connection:
            await connection.execute(statement if access == "connection" else text(statement))

    sleeping = asyncio.create_task(sleep())
    await asyncio.sleep(0.2)
    await superuser.execute(_TERMINATE)
    with pytest.raises(LedgerUnavailable):
        await sleeping


async def test_statement_that_takes_too_long_is_unavailable(settings: BillingSettings) -> None:
    database = Database(settings.model_copy(update={"statement_timeout_ms": 50}))
    with pytest.raises(LedgerUnavailable):
        async with database.connection() as connection:
            await connection.execute("SELECT pg_sleep(5)")
    await database.close()


async def test_wait_for_a_connection_is_bounded(settings: BillingSettings) -> None:
    bounds = {"pool_size": 1, "pool_timeout_seconds": 0.1}
    database = Database(settings.model_copy(update=bounds))
    async with database.connection():
        started = time.monotonic()
        with pytest.raises(LedgerUnavailable):
            await database.check_writable()
        assert time.monotonic() - started < 1
    await database.check_writable()
    await database.close()


async def test_open_transaction_does_not_reach_the_next_user(settings: BillingSettings) -> None:
    database = Database(settings.model_copy(update={"pool_size": 1}))

    async def fail_inside_a_transaction() -> None:
        async with database.connection() as connection:
            await connection.execute("BEGIN")
            await connection.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail_inside_a_transaction()
    async with database.connection() as connection:
        assert not connection.is_in_transaction()
    await database.close()
