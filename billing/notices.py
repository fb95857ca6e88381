"""Hears at once when a key is revoked or a price is set, and knows when it cannot hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from billing.database import CONNECTION_LOST

KEYS_CHANNEL = "farebox_keys"
"""Its payload is the id of a key that was revoked or changed."""

PRICES_CHANNEL = "farebox_prices"
"""Its payload is empty: any price may have changed."""

_BACKOFF_FIRST_SECONDS = 0.1
_BACKOFF_MAX_SECONDS = 2.0


class NoticeListener:
    """Listens on a connection of its own: it must be a direct one, never a pooler's.

    While `listening` is false, notices are missed: whatever was kept by their grace must not be
    used, and is to be dropped when `on_lost` is called. The callbacks must not block.
    """

    def __init__(
        self,
        database_url: str,
        *,
        on_notice: Callable[[str, str], None],
        on_lost: Callable[[], None],
        on_restored: Callable[[], None],
        heartbeat_seconds: float = 1.0,
        heartbeat_timeout_seconds: float = 1.0,
        connect_timeout_seconds: float = 3.0,
    ) -> None:
        self._database_url = database_url
        self._on_notice = on_notice
        self._on_lost = on_lost
        self._on_restored = on_restored
        self._heartbeat_seconds = heartbeat_seconds
        self._heartbeat_timeout_seconds = heartbeat_timeout_seconds
        self._connect_timeout_seconds = connect_timeout_seconds
        self._listening = False
        self._task: asyncio.Task[None] | None = None

    @property
    def listening(self) -> bool:
        """Whether every notice since `on_restored` was and will be heard."""
        return self._listening

    def start(self) -> None:
        """Begin to connect; `on_restored` is called at the first success too."""
        assert self._task is None, "started before"
        self._task = asyncio.create_task(self._run(), name="notice listener")

    async def stop(self) -> None:
        """Stop listening and close the connection; no callback is called any more."""
        self._listening = False
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])

    async def _run(self) -> None:
        backoff_seconds = _BACKOFF_FIRST_SECONDS
        while True:
            try:
                connection = await self._connect()
            except (*CONNECTION_LOST, asyncpg.PostgresError):
                await asyncio.sleep(backoff_seconds)
                backoff_seconds = min(2 * backoff_seconds, _BACKOFF_MAX_SECONDS)
                continue
            backoff_seconds = _BACKOFF_FIRST_SECONDS
            await self._listen(connection)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._database_url,
            timeout=self._connect_timeout_seconds,
            server_settings={"application_name": "farebox notices"},
        )

    async def _listen(self, connection: asyncpg.Connection) -> None:
        """Return when the connection is lost."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: self._hear_loss(lost))
        try:
            async with asyncio.timeout(self._connect_timeout_seconds):
                for channel in (KEYS_CHANNEL, PRICES_CHANNEL):
                    await connection.add_listener(channel, self._hear_notice)
            self._listening = True
            self._on_restored()
            while not lost.is_set():
                await self._beat(connection, lost)
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            self._hear_loss(lost)
        finally:
            connection.terminate()

    async def _beat(self, connection: asyncpg.Connection, lost: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._heartbeat_seconds):
                await lost.wait()
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=self._heartbeat_timeout_seconds)

    def _hear_notice(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        if self._task is not None:
            self._on_notice(channel, str(payload))

    def _hear_loss(self, lost: asyncio.Event) -> None:
        lost.set()
        if self._listening:
            self._listening = False
            self._on_lost()
