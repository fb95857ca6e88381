"""Brings a database's schema up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from billing.settings import sqlalchemy_url

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x66617265
"""Advisory lock: of two starters one migrates, the other waits and finds nothing to do."""


async def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrade to `revision`; concurrent callers take turns."""
    await _run(database_url, lambda config: command.upgrade(config, revision))


async def downgrade(database_url: str, revision: str = "-1") -> None:
    """Take back migrations; by default the newest."""
    await _run(database_url, lambda config: command.downgrade(config, revision))


async def _run(database_url: str, step: Callable[[Config], None]) -> None:
    engine = create_async_engine(sqlalchemy_url(database_url))
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
            await connection.commit()
            await connection.run_sync(lambda sync: step(_config(sync)))
            await connection.commit()
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
