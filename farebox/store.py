"""The database as the commands reach it: a given one, the running product's, or started for now."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import SecretStr

from billing.database import Database
from billing.migrate import migrate
from billing.settings import BillingSettings
from farebox.home import Home, read_env_file, write_private
from farebox.postgres import embedded_postgres
from farebox.running import RunningProduct, is_running

DATABASE_URL = "FAREBOX_DATABASE_URL"
KEY_HASH_SECRET = "FAREBOX_KEY_HASH_SECRET"  # noqa: S105 - the variable's name

Result = TypeVar("Result")


@contextmanager
def postgres_url(home: Home) -> Iterator[str]:
    """The URL to use: `FAREBOX_DATABASE_URL`, else the embedded server, started where it is not."""
    given = os.environ.get(DATABASE_URL)
    running = RunningProduct.read(home) if is_running(home) else None
    if given:
        yield given
    elif running:
        yield running.database_url
    else:
        home.create()
        with embedded_postgres(home.postgres) as server:
            yield server.url


def key_hash_secret(home: Home) -> str:
    """The secret that API keys are hashed with: given, or made once and kept."""
    given = os.environ.get(KEY_HASH_SECRET)
    if given:
        return given
    kept = read_env_file(home.secrets).get(KEY_HASH_SECRET)
    if kept is None:
        home.create()
        kept = secrets.token_urlsafe(48)
        write_private(home.secrets, f"{KEY_HASH_SECRET}={kept}\n")
    return kept


def billing_settings(home: Home, url: str) -> BillingSettings:
    """Billing's settings for this database; every other number from the environment."""
    return BillingSettings(database_url=url, key_hash_secret=SecretStr(key_hash_secret(home)))


def with_database(use: Callable[[Database, BillingSettings], Awaitable[Result]]) -> Result:
    """Run `use` on the product's migrated database, wherever that is."""
    home = Home.from_environment()
    with postgres_url(home) as url:
        settings = billing_settings(home, url)
        return asyncio.run(_use_database(settings, use))


async def _use_database(
    settings: BillingSettings, use: Callable[[Database, BillingSettings], Awaitable[Result]]
) -> Result:
    await migrate(settings.database_url)
    database = Database(settings)
    try:
        return await use(database, settings)
    finally:
        await database.close()
