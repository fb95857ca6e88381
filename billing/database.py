"""Connections to PostgreSQL, with every wait bounded and every failure named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from sqlalchemy import AdaptedConnection, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.util import greenlet_spawn

from billing.errors import LedgerUnavailable
from billing.settings import BillingSettings

APPLICATION_ROLE = "farebox_app"

# The client gives up a little after the server would have cancelled: it is for a server or a
# network that is gone without a word.
_COMMAND_TIMEOUT_MARGIN_SECONDS = 1.0

CONNECTION_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # A dying server's last message comes before the end of the connection; a statement begun
    # between the two fails by this.
    asyncpg.InternalClientError,
)
"""What the driver raises, besides a server's message, when a statement's end was not heard."""

_UNAVAILABLE_CLASSES = {
    "08",  # connection exceptions
    "25",  # read-only transaction
    "28",  # not let in
    "3D",  # no such database
    "40",  # deadlock, serialization failure
    "53",  # out of disk, memory or connections
    "57",  # shutting down, starting up, statement timeout
    "58",  # I/O error
}
_LOCK_NOT_AVAILABLE = "55P03"


def make_server_settings(settings: BillingSettings) -> dict[str, str]:
    """What each connection of the application asks of the server, whatever its own defaults are."""
    return {
        "application_name": "farebox",
        "role": APPLICATION_ROLE,
        "default_transaction_isolation": "read committed",
        "synchronous_commit": "on",
        "lock_timeout": str(settings.lock_timeout_ms),
        "statement_timeout": str(settings.statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_transaction_timeout_ms),
        # Planning the charge anew would take as long as running it, 1.5 ms.
        "plan_cache_mode": "force_generic_plan",
        # Compiling a plan takes longer than the longest of ours runs.
        "jit": "off",
    }


class Database:
    """A pool of connections as the role `farebox_app`; nothing connects before the first use."""

    def __init__(self, settings: BillingSettings) -> None:
        self._settings = settings
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_timeout_seconds,
            # Each user ends its own transaction; a reset of all would cost a third of a check-out.
            pool_reset_on_return=None,
        )
        event.listen(self._engine.sync_engine, "checkout", _refuse_closed)

    async def close(self) -> None:
        """Close every connection; the next use would open new ones."""
        await self._engine.dispose()

    async def check_writable(self) -> None:
        """Raise LedgerUnavailable unless the server answers and would take a write."""
        async with self.connection() as connection:
            writable = await connection.fetchval(
                "SELECT NOT pg_is_in_recovery()"
                " AND current_setting('transaction_read_only') = 'off'"
            )
        if not writable:
            raise LedgerUnavailable("the database takes no writes: a standby, or set read-only")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """The driver's own connection, each statement its own transaction unless one is begun.

        Raises LedgerUnavailable when no connection can be had, or when it is lost inside the
        block and the block lets the driver's error pass.
        """
        with _unavailable_when_lost():
            pooled = await self._engine.raw_connection()
            driver = pooled.driver_connection
            assert driver is not None
            try:
                yield driver
            except BaseException:
                # Whatever stands in the way of the next user goes with the connection.
                driver.terminate()
                await greenlet_spawn(pooled.invalidate)
                raise
            finally:
                await greenlet_spawn(pooled.close)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for SQLAlchemy statements: committed at the end, rolled back on an error.

        Raises LedgerUnavailable as `connection` does.
        """
        with _unavailable_when_lost():
            async with self._engine.begin() as connection:
                yield connection

    async def _connect(self) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                self._settings.database_url,
                timeout=self._settings.connect_timeout_seconds,
                command_timeout=self._settings.statement_timeout_ms / 1000
                + _COMMAND_TIMEOUT_MARGIN_SECONDS,
                server_settings=make_server_settings(self._settings),
            )
        except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
            raise LedgerUnavailable(f"no connection to the database: {error}") from error


def _refuse_closed(connection: AdaptedConnection, _record: object, _proxy: object) -> None:
    """Have the pool replace a connection that the server closed, and all that are as old."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


@contextmanager
def _unavailable_when_lost() -> Iterator[None]:
    try:
        yield
    except (*CONNECTION_LOST, PoolTimeout) as error:
        raise LedgerUnavailable(f"the database did not answer: {error}") from error
    except (asyncpg.PostgresError, DBAPIError) as error:
        if not _is_unavailability(error):
            raise
        raise LedgerUnavailable(f"the database did not answer: {error}") from error


def _is_unavailability(error: asyncpg.PostgresError | DBAPIError) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    sqlstate = getattr(cause, "sqlstate", None) or ""
    return sqlstate == _LOCK_NOT_AVAILABLE or sqlstate[:2] in _UNAVAILABLE_CLASSES
