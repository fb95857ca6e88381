"""The schema goes up and down, and is the one that the tables speak of."""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from billing.database import Database
from billing.migrate import downgrade_newest, migrate
from billing.schema import metadata
from billing.settings import BillingSettings
from tests.postgres import run_sql, running_postgres

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_TABLE_NAMES = (
    "SELECT relname::text FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
)

# What compare_metadata does not look at: checks, storage settings, index definitions.
_DEFINITIONS = """
SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conname !~ '^alembic'
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
UNION ALL
SELECT relname || ' ' || reloptions::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
ORDER BY 1
"""


async def _fetch_column(database_url: str, query: str) -> list[object]:
    connection = await asyncpg.connect(database_url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


def _engine_url(database_url: str) -> str:
    return database_url.replace("postgresql://", "postgresql+asyncpg://")


async def test_migrations_agree_with_the_tables(database_url: str) -> None:
    def compare(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return compare_metadata(context, metadata)

    engine = create_async_engine(_engine_url(database_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


async def test_constraints_and_indexes_agree_with_the_tables(
    database_url: str, empty_database_url: str
) -> None:
    engine = create_async_engine(_engine_url(empty_database_url))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    migrated = await _fetch_column(database_url, _DEFINITIONS)
    assert migrated == await _fetch_column(empty_database_url, _DEFINITIONS)
    assert len(migrated) > 30


_FIRST_LEDGER = """
INSERT INTO accounts (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'acme');
INSERT INTO entries (account_id, kind, amount_microcredits, charge_id) VALUES
    ('00000000-0000-0000-0000-000000000001', 'charge', -3, gen_random_uuid()),
    ('00000000-0000-0000-0000-000000000001', 'grant', 10, NULL),
    ('00000000-0000-0000-0000-000000000001', 'charge', -2, gen_random_uuid());
INSERT INTO balances (account_id, posted) VALUES ('00000000-0000-0000-0000-000000000001', 5);
"""


async def test_filled_database_keeps_its_money_on_the_way_up(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0001")
    await asyncio.to_thread(run_sql, empty_database_url, _FIRST_LEDGER)
    await migrate(empty_database_url)
    entry = "SELECT (sequence, amount_microcredits, balance_microcredits) FROM entries ORDER BY 1"
    assert await _fetch_column(empty_database_url, entry) == [(1, 10, 10), (2, -3, 7), (3, -2, 5)]
    balance = "SELECT (posted, sequence) FROM balances"
    assert await _fetch_column(empty_database_url, balance) == [(5, 3)]
    grant = "SELECT (sequence, remaining_microcredits) FROM grants"
    assert await _fetch_column(empty_database_url, grant) == [(1, 10)]
    readable = "SELECT bool_and(xid < pg_snapshot_xmin(pg_current_snapshot())) FROM entries"
    assert await _fetch_column(empty_database_url, readable) == [True]


async def test_migrations_can_be_taken_back_one_by_one(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0001")
    await asyncio.to_thread(run_sql, empty_database_url, _FIRST_LEDGER)
    await migrate(empty_database_url)
    version = "SELECT version_num::text FROM alembic_version"
    while await _fetch_column(empty_database_url, version) != ["0001"]:
        await downgrade_newest(empty_database_url)
    amounts = "SELECT amount_microcredits FROM entries ORDER BY 1"
    assert await _fetch_column(empty_database_url, amounts) == [-3, -2, 10]
    await downgrade_newest(empty_database_url)
    assert await _fetch_column(empty_database_url, _TABLE_NAMES) == ["alembic_version"]
    await migrate(empty_database_url)
    assert "grants" in await _fetch_column(empty_database_url, _TABLE_NAMES)


async def test_failed_migration_leaves_nothing_behind(empty_database_url: str) -> None:
    await _fetch_column(empty_database_url, "CREATE TABLE prices (in_the_way int)")
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(empty_database_url)
    assert await _fetch_column(empty_database_url, _TABLE_NAMES) == ["prices"]


async def test_owner_without_superuser_rights_can_migrate_two_databases() -> None:
    """As on a managed server: the role is the owner's own, and shared by its databases."""

    def migrate_both() -> list[object]:
        with running_postgres() as server:
            run_sql(server.get_uri(), "CREATE ROLE owner LOGIN CREATEROLE")
            return [_migrate_as_owner(server.get_uri(), name) for name in ("one", "two")]

    assert await asyncio.to_thread(migrate_both) == ["farebox_app", "farebox_app"]


def _migrate_as_owner(superuser_url: str, name: str) -> object:
    run_sql(superuser_url, f"CREATE DATABASE {name} OWNER owner")
    url = superuser_url.replace("postgres:@/postgres", f"owner@/{name}")
    asyncio.run(migrate(url))
    settings = BillingSettings(database_url=url, key_hash_secret="s" * 32)

    async def fetch_user() -> object:
        database = Database(settings)
        async with database.connection() as connection:
            user = await connection.fetchval("SELECT current_user")
        await database.close()
        return user

    return asyncio.run(fetch_user())


async def test_two_starters_migrate_once(empty_database_url: str) -> None:
    script = (
        "import asyncio, sys; from billing.migrate import migrate;"
        " asyncio.run(migrate(sys.argv[1]))"
    )
    starters = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, empty_database_url)
        for _ in range(2)
    ]
    assert [await starter.wait() for starter in starters] == [0, 0]
    assert await _fetch_column(empty_database_url, "SELECT count(*) FROM prices") == [2]


@pytest.mark.parametrize("operation", ["predict", "explain"])
async def test_default_price_is_one_credit(database_url: str, operation: str) -> None:
    query = (
        "SELECT amount_microcredits FROM prices WHERE model IS NULL AND version IS NULL "
        f"AND operation = '{operation}'"
    )
    assert await _fetch_column(database_url, query) == [1_000_000]


async def test_prices_of_before_are_prices_of_predictions(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0007")
    set_before = "INSERT INTO prices (model, amount_microcredits) VALUES ('m', 5)"
    await asyncio.to_thread(run_sql, empty_database_url, set_before)
    await migrate(empty_database_url, "0008")
    query = "SELECT operation || amount_microcredits FROM prices ORDER BY id"
    expected = ["predict1000000", "predict5", "explain1000000"]
    assert await _fetch_column(empty_database_url, query) == expected
    await downgrade_newest(empty_database_url)
    left = "SELECT amount_microcredits FROM prices ORDER BY id"
    assert await _fetch_column(empty_database_url, left) == [1_000_000, 5]


async def test_price_is_of_a_known_operation(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    with pytest.raises(asyncpg.CheckViolationError, match="prices_operation_known"):
        await _fetch_column(
            empty_database_url,
            "INSERT INTO prices (model, operation, amount_microcredits) VALUES ('m', 'guess', 5)",
        )


async def test_large_answers_are_not_compressed(database_url: str) -> None:
    stored = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'answers'::regclass"
    columns = await _fetch_column(database_url, f"{stored} AND attstorage = 'e' ORDER BY 1")
    assert columns == ["inputs", "predictions"]
