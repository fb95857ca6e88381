"""What every account book promises of sessions: the one in PostgreSQL and the one in memory."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from billing.api_keys.values import ALL_SCOPES
from billing.database import Database
from billing.directory import Directory
from billing.principal import Principal
from billing.sessions.actions import end_session, open_session
from billing.sessions.tables import sessions
from billing.sessions.values import SESSION_KEY_ID, Lifetimes, hash_token, make_token
from billing.settings import BillingSettings
from billing.users.tables import users
from serve.ports import AccountBook
from tests.integration.billing.conftest import MakeAccount
from tests.support.serving import MemoryAccounts

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LIFETIMES = Lifetimes(idle=timedelta(hours=1), absolute=timedelta(hours=3))


@dataclass
class World:
    """An account book, and what its port does not offer."""

    book: AccountBook
    open_session: Callable[[], Awaitable[tuple[uuid.UUID, str]]]
    """Whose it is, and its token."""
    end_session: Callable[[str], Awaitable[None]]

    async def fetch(self, token: str, **later: float) -> Principal | None:
        now = NOW + timedelta(**later)
        return await self.book.fetch_session_principal(token, lifetimes=LIFETIMES, now=now)


def _memory_world() -> World:
    book = MemoryAccounts()

    async def open_one() -> tuple[uuid.UUID, str]:
        account_id = uuid.UUID(int=1)
        return account_id, book.open_session(account_id, NOW, LIFETIMES)

    async def end(token: str) -> None:
        del book.sessions[token]

    return World(book, open_one, end)


def _postgres_world(request: pytest.FixtureRequest) -> World:
    database: Database = request.getfixturevalue("database")
    settings: BillingSettings = request.getfixturevalue("settings")
    make_account: MakeAccount = request.getfixturevalue("make_account")

    async def open_one() -> tuple[uuid.UUID, str]:
        account_id = await make_account("1")
        async with database.begin() as connection:
            person = {"email": "anna@example.com", "password_hash": "no password opens this"}
            await connection.execute(insert(users).values(account_id=account_id, **person))
        _, token = await open_session(
            database, account_id, user_agent="test", lifetimes=LIFETIMES, now=NOW
        )
        return account_id, token

    async def end(token: str) -> None:
        of_token = sessions.c.token_hash == hash_token(token)
        query = select(sessions.c.account_id, sessions.c.id).where(of_token)
        async with database.begin() as connection:
            account_id, session_id = (await connection.execute(query)).one()
        assert await end_session(database, account_id, session_id)

    return World(Directory(database, settings.key_hash_secret), open_one, end)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    return _memory_world() if request.param == "memory" else _postgres_world(request)


async def test_a_session_lets_its_account_do_everything(world: World) -> None:
    account_id, token = await world.open_session()
    assert await world.fetch(token) == Principal(
        account_id, "account 1", SESSION_KEY_ID, ALL_SCOPES
    )


@pytest.mark.parametrize("change", [str.swapcase, lambda token: token[:-1], lambda _: make_token()])
async def test_another_token_is_nobodys(world: World, change: Callable[[str], str]) -> None:
    _, token = await world.open_session()
    assert await world.fetch(change(token)) is None


async def test_an_ended_session_is_nobodys(world: World) -> None:
    _, token = await world.open_session()
    assert await world.fetch(token)
    await world.end_session(token)
    assert await world.fetch(token) is None


async def test_a_session_ends_when_it_was_not_used_for_so_long(world: World) -> None:
    _, token = await world.open_session()
    assert await world.fetch(token, minutes=59)
    assert await world.fetch(token, minutes=118)
    assert await world.fetch(token, minutes=178) is None


async def test_a_session_ends_when_it_is_old_however_it_was_used(world: World) -> None:
    _, token = await world.open_session()
    for minutes in (50, 100, 150, 179):
        assert await world.fetch(token, minutes=minutes)
    assert await world.fetch(token, minutes=180) is None
