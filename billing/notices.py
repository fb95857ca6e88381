"""Notices from the database: a key was revoked, a price changed.

A connection of its own, direct to the server: a pooler would not carry LISTEN.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import asyncpg

from billing.database import APPLICATION_ROLE, LOST
from billing.errors import BillingError
from billing.settings import BillingSettings

KEYS_CHANNEL = "farebox_keys"
PRICES_CHANNEL = "farebox_prices"

_HEARTBEAT_SECONDS = 1.0
_RECONNECT_SECONDS = 0.5


class Subscriber(Protocol):
    """Whoever acts on notices."""

    def notices_lost(self) -> None:
        """From now on notices may be missed."""

    async def notices_heard(self) -> None:
        """From now on notices arrive; what was missed must be read anew."""

    async def notice(self, channel: str, payload: str) -> None:
        """One notice."""


class NoticeListener:
    """Keeps one listening connection, and says at once when it is lost.

    A heartbeat each second finds a connection that died in silence.
    """

    def __init__(self, settings: BillingSettings, subscriber: Subscriber) -> None:
        self._settings = settings
        self._subscriber = subscriber
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; returns at once, `notices_heard` follows."""
        self._task = asyncio.create_task(self._listen_for_ever())

    async def stop(self) -> None:
        """End and wait for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (*LOST, asyncpg.PostgresError, BillingError):
                self._subscriber.notices_lost()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        """Until the connection is lost, which raises."""
        arrived: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        connection = await asyncpg.connect(
            self._settings.database_url,
            timeout=self._settings.connect_timeout_seconds,
            server_settings={"application_name": "farebox notices", "role": APPLICATION_ROLE},
        )
        try:
            for channel in (KEYS_CHANNEL, PRICES_CHANNEL):
                await connection.add_listener(
                    channel,
                    lambda _connection, _pid, channel, payload: arrived.put_nowait(
                        (channel, payload)
                    ),
                )
            await self._subscriber.notices_heard()
            while True:
                await self._pass_on(connection, arrived)
        finally:
            connection.terminate()

    async def _pass_on(
        self, connection: asyncpg.Connection, arrived: asyncio.Queue[tuple[str, str]]
    ) -> None:
        try:
            channel, payload = await asyncio.wait_for(arrived.get(), _HEARTBEAT_SECONDS)
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=_HEARTBEAT_SECONDS)
        else:
            await self._subscriber.notice(channel, payload)
