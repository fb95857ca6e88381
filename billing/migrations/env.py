"""Runs migrations in one transaction, one starter at a time."""

from __future__ import annotations

import asyncio

import asyncpg
from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from billing.schema import metadata

# Any number will do, as long as nothing else in this database locks the same.
_ADVISORY_LOCK = 7_315_024_118

# A migration that waits longer for a lock would itself hold up every charge behind it.
_SERVER_SETTINGS = {"application_name": "farebox migrate", "lock_timeout": "60s"}


def _migrate_over(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def _migrate() -> None:
    url = context.config.attributes["database_url"]
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(url, server_settings=_SERVER_SETTINGS),
        poolclass=pool.NullPool,
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate_over)
    finally:
        await engine.dispose()


asyncio.run(_migrate())
