"""The accounts application on a fresh database, and people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from billing.database import Database
from billing.sessions.values import Role
from billing.settings import BillingSettings
from tests.support.accounts import AccountsApp, Person, make_app


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[AccountsApp]:
    billing = BillingSettings(database_url=database_url, key_hash_secret="s" * 32)
    database = Database(billing)
    yield make_app(database, billing)
    await database.close()


@pytest.fixture
async def anna(app: AccountsApp) -> AsyncIterator[Person]:
    """A user with 100 credits."""
    async with app.person(Role.USER, "100") as person:
        yield person


@pytest.fixture
async def boris(app: AccountsApp) -> AsyncIterator[Person]:
    """Another user with 100 credits."""
    async with app.person(Role.USER, "100") as person:
        yield person


@pytest.fixture
async def operator(app: AccountsApp) -> AsyncIterator[Person]:
    async with app.person(Role.OPERATOR) as person:
        yield person


@pytest.fixture
async def admin(app: AccountsApp) -> AsyncIterator[Person]:
    async with app.person(Role.ADMIN) as person:
        yield person


@pytest.fixture
async def superuser(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do everything, to look and to corrupt."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
