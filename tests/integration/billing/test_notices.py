"""Revocations are heard at once, and deafness is noticed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from billing.accounts import create_key, revoke_key
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.notices import KEYS_CHANNEL, PRICES_CHANNEL, NoticeListener
from billing.prices import Price, set_price
from billing.settings import BillingSettings

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_LISTENERS_PID = "SELECT pid FROM pg_stat_activity WHERE application_name = 'farebox notices'"


class Ear:
    """A listener that writes down what it hears, in order."""

    def __init__(self, database_url: str) -> None:
        self._heard: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()
        self.listener = NoticeListener(
            database_url,
            on_notice=lambda channel, payload: self._heard.put_nowait((channel, payload)),
            on_lost=lambda: self._heard.put_nowait(("lost",)),
            on_restored=lambda: self._heard.put_nowait(("restored",)),
            heartbeat_seconds=0.3,
            heartbeat_timeout_seconds=0.3,
        )

    async def hear(self, seconds: float = 5.0) -> tuple[str, ...]:
        async with asyncio.timeout(seconds):
            return await self._heard.get()

    @property
    def is_quiet(self) -> bool:
        return self._heard.empty()


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    ear = Ear(database_url)
    ear.listener.start()
    assert await ear.hear() == ("restored",)
    yield ear
    await ear.listener.stop()


async def test_revoked_key_is_heard(
    ear: Ear, database: Database, settings: BillingSettings
) -> None:
    created = await create_key(database, settings.key_hash_secret, "acme", ZERO)
    await revoke_key(database, created.api_key.id)
    assert await ear.hear() == (KEYS_CHANNEL, created.api_key.id)


async def test_new_price_is_heard(ear: Ear, database: Database) -> None:
    await set_price(database, Price("malware", None, Credits(5), datetime.now(UTC)))
    assert await ear.hear() == (PRICES_CHANNEL, "")


async def test_closed_connection_is_noticed_and_restored(
    ear: Ear, database: Database, superuser: asyncpg.Connection
) -> None:
    pid = await superuser.fetchval(_LISTENERS_PID)
    await superuser.execute("SELECT pg_terminate_backend($1)", pid)
    assert await ear.hear() == ("lost",)
    assert not ear.listener.listening
    assert await ear.hear() == ("restored",)
    assert ear.listener.listening
    await set_price(database, Price(None, None, Credits(5), datetime.now(UTC)))
    assert await ear.hear() == (PRICES_CHANNEL, "")


async def test_silent_connection_is_noticed_by_the_heartbeat(
    ear: Ear, superuser: asyncpg.Connection
) -> None:
    pid = await superuser.fetchval(_LISTENERS_PID)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert await ear.hear(seconds=2.0) == ("lost",)
        assert await ear.hear() == ("restored",)
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_stopped_listener_is_silent_and_leaves_no_task(
    ear: Ear, database: Database, superuser: asyncpg.Connection
) -> None:
    await ear.listener.stop()
    assert not ear.listener.listening
    await set_price(database, Price(None, None, Credits(5), datetime.now(UTC)))
    await asyncio.sleep(0.2)
    assert ear.is_quiet
    assert await superuser.fetchval(_LISTENERS_PID) is None
    assert [t.get_name() for t in asyncio.all_tasks()].count("notice listener") == 0


async def test_listener_waits_for_a_server_that_is_not_there() -> None:
    ear = Ear("postgresql://postgres@/none?host=/nowhere")
    ear.listener.start()
    await asyncio.sleep(0.2)
    assert not ear.listener.listening
    await ear.listener.stop()
    assert ear.is_quiet


async def test_charge_path_has_no_triggers(superuser: asyncpg.Connection) -> None:
    """A notice at each charge halves the commits."""
    query = (
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    )
    assert [row[0] for row in await superuser.fetch(query)] == ["api_keys", "prices"]
