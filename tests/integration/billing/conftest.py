"""A database as billing sees it, and accounts in it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from billing.accounts import create_key
from billing.credits import Credits
from billing.database import Database
from billing.ledger import PostgresLedger
from billing.settings import BillingSettings

MakeAccount = Callable[[str], Awaitable[uuid.UUID]]
MakeCappedKey = Callable[[uuid.UUID, str, str], Awaitable[str]]


@pytest.fixture
def settings(database_url: str) -> BillingSettings:
    return BillingSettings(database_url=database_url, key_hash_secret="s" * 32)


@pytest.fixture
async def database(settings: BillingSettings) -> AsyncIterator[Database]:
    opened = Database(settings)
    yield opened
    await opened.close()


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database)


@pytest.fixture
def make_account(database: Database, settings: BillingSettings) -> MakeAccount:
    """Makes an account with so many credits."""
    numbers = itertools.count(1)

    async def make(credits_granted: str) -> uuid.UUID:
        created = await create_key(
            database,
            settings.key_hash_secret,
            f"account {next(numbers)}",
            Credits.parse(credits_granted),
        )
        return created.account.id

    return make


@pytest.fixture
async def superuser(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do everything, to look and to corrupt."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def make_capped_key(superuser: asyncpg.Connection) -> MakeCappedKey:
    """Makes a key of the account that may spend so much in a day, a month or in all."""

    async def make(account_id: uuid.UUID, period: str, cap: str) -> str:
        key_id = uuid.uuid4().hex
        await superuser.execute(
            "INSERT INTO api_keys (id, account_id, secret_hash, name, lineage_id)"
            " VALUES ($1, $2, sha256(''), 'capped', $1)",
            key_id,
            account_id,
        )
        await superuser.execute(
            "INSERT INTO key_caps (key_id, period, lineage_id, cap_microcredits)"
            " VALUES ($1, $2, $1, $3)",
            key_id,
            period,
            Credits.parse(cap).microcredits,
        )
        return key_id

    return make
