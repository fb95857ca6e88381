"""The grown ledger is one that charges could have left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from billing.charges import Charged
from billing.database import Database
from billing.directory import Directory
from billing.grants.feed import settle_feed
from billing.keys import parse_key
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from farebox.home import Home
from farebox.store import billing_settings
from ops.growth_bench.ledger import generate
from ops.growth_bench.sides import make_keys
from ops.growth_bench.size import Size
from ops.growth_bench.sizes import fetch_sizes
from tests.charges import make_charge

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SIZE = Size(charges=1_010, accounts=100)

_INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = 'public'::regnamespace ORDER BY 1
"""
_SETTLED = """
SELECT bool_and(settled.sequence = balances.sequence) FROM settled JOIN balances USING (account_id)
"""


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_the_generated_ledger_is_clean_and_can_be_charged(
    database_url: str, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    indexes = [row[0] for row in await owner.fetch(_INDEXES)]
    await generate(owner, SIZE, datetime.now(UTC), lambda _: None)
    assert [row[0] for row in await owner.fetch(_INDEXES)] == indexes

    home = Home(tmp_path)
    api_keys = await make_keys(home, database_url, SIZE.accounts)
    settings = billing_settings(home, database_url)
    database = Database(settings)
    try:
        directory = Directory(database, settings.key_hash_secret)
        found = [await directory.fetch_principal(key) for key in map(parse_key, api_keys) if key]
        account_ids = {principal.account_id for principal in found if principal}
        assert len(account_ids) == 50
        assert await owner.fetchval("SELECT count(*) FROM accounts") == 100
        charges = [make_charge(account_id) for account_id in account_ids]
        outcomes = await PostgresLedger(database).charge(charges)
        assert all(isinstance(outcome, Charged) for outcome in outcomes)
        assert not await settle_feed(database)
        assert await owner.fetchval(_SETTLED)
        assert (await reconcile(database)).is_clean
    finally:
        await database.close()


async def test_answers_of_two_days_are_stored_and_sizes_are_told(
    owner: asyncpg.Connection,
) -> None:
    await generate(owner, SIZE, datetime.now(UTC), lambda _: None)
    sizes = await fetch_sizes(owner)
    assert sizes.rows == {"predictions": 1_010, "entries": 1_110, "answers": 202, "balances": 100}
    names = {relation.name for relation in sizes.relations}
    assert {"predictions", "predictions_pkey", "entries_xid_idx", "balances"} <= names
    assert sizes.total_bytes("predictions") > 1_010 * 100
