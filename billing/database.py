"""The connection pool: SQLAlchemy's engine, asyncpg's connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from billing.errors import LedgerUnavailable
from billing.settings import BillingSettings

APPLICATION_ROLE = "farebox_app"

LOST = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""How a connection that is gone, or a server that is not there, shows in asyncpg."""

_IS_WRITABLE = """
SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'
"""


class Database:
    """A pool whose connections hold the application's role and the server-side timeouts."""

    def __init__(self, settings: BillingSettings) -> None:
        self._engine = create_async_engine(
            settings.sqlalchemy_url,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_timeout_seconds,
            # Prepared statements are asyncpg's own; nothing of the dialect's is used on them.
            pool_reset_on_return=None,
            connect_args={
                "timeout": settings.connect_timeout_seconds,
                "server_settings": {
                    "application_name": "farebox",
                    "role": APPLICATION_ROLE,
                    "lock_timeout": str(settings.lock_timeout_ms),
                    "statement_timeout": str(settings.statement_timeout_ms),
                    "idle_in_transaction_session_timeout": str(
                        settings.idle_transaction_timeout_ms
                    ),
                },
            },
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A pooled asyncpg connection.

        Raises LedgerUnavailable when there is none to be had, or when it is lost inside the block:
        a caller that writes decides for itself what that means for a commit.
        """
        try:
            pooled = await self._engine.connect()
        except (*LOST, DBAPIError, PoolTimeoutError) as error:
            raise LedgerUnavailable(type(error).__name__) from error
        try:
            raw = await pooled.get_raw_connection()
            yield raw.driver_connection
        except LOST as error:
            await pooled.invalidate()
            raise LedgerUnavailable(type(error).__name__) from error
        except asyncio.CancelledError:
            await pooled.invalidate()
            raise
        finally:
            await pooled.close()

    async def check_writable(self) -> None:
        """Raise LedgerUnavailable unless the server answers and is a writable primary."""
        async with self.connection() as connection:
            if not await connection.fetchval(_IS_WRITABLE):
                raise LedgerUnavailable("the database is read-only")

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
