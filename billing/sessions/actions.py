"""Open, find and end sessions. Each is one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import uuid_utils.compat
from sqlalchemy import delete, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.database import Database
from billing.sessions.queries import is_living
from billing.sessions.tables import sessions
from billing.sessions.values import Lifetimes, Role, Session, hash_token, make_token
from billing.users.errors import SignInFailed
from billing.users.passwords import Passwords
from billing.users.queries import fetch_credentials
from billing.users.tables import email_tokens, users
from billing.users.values import Credentials

_SEEN_EVERY = timedelta(minutes=1)
"""How exact `last_seen_at` is: a write for every request would buy nothing."""

_USER_AGENT_CHARACTERS_MAX = 200
_SWEPT_ROWS_MAX = 1_000

_SIGN_IN_TRIES = 2
"""A second one where the hash was renewed, or the password changed, while it was checked."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `token` is shown this once."""

    session_id: uuid.UUID
    token: str
    account_id: uuid.UUID
    role: Role
    expires_at: datetime


async def sign_in(
    database: Database,
    passwords: Passwords,
    email: str,
    password: str,
    *,
    user_agent: str,
    lifetimes: Lifetimes,
    now: datetime,
) -> SignedIn:
    """A session for whoever knows the password. Raises SignInFailed.

    One hash is computed for every attempt, whether there is such a user or not.
    """
    for _ in range(_SIGN_IN_TRIES):
        credentials = await fetch_credentials(database, email=email)
        stored_hash = credentials.password_hash if credentials else None
        if not await passwords.verify(password, stored_hash) or credentials is None:
            break
        new_hash = None
        if passwords.needs_rehash(credentials.password_hash):
            new_hash = await passwords.hash(password)
        async with database.begin() as connection:
            if await _keep_hash(connection, credentials, new_hash):
                session_id, token = await _insert_session(
                    connection, credentials.account_id, user_agent, lifetimes, now
                )
                expires_at = now + lifetimes.absolute
                return SignedIn(
                    session_id, token, credentials.account_id, credentials.role, expires_at
                )
    raise SignInFailed("no user has this e-mail and password")


async def open_session(
    database: Database,
    account_id: uuid.UUID,
    *,
    user_agent: str,
    lifetimes: Lifetimes,
    now: datetime,
) -> tuple[uuid.UUID, str]:
    """The id of a new session of that user, and its token: shown this once."""
    async with database.begin() as connection:
        return await _insert_session(connection, account_id, user_agent, lifetimes, now)


async def find_session(
    database: Database, token: str, *, lifetimes: Lifetimes, now: datetime
) -> Session | None:
    """The living session of that token; that it was seen is noted once a minute."""
    query = (
        select(sessions, users.c.role)
        .join_from(sessions, users, users.c.account_id == sessions.c.account_id)
        .where(sessions.c.token_hash == hash_token(token), is_living(lifetimes, now))
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if now - row.last_seen_at > _SEEN_EVERY:
            seen = update(sessions).where(sessions.c.id == row.id).values(last_seen_at=now)
            await connection.execute(seen)
    return Session(
        row.id,
        row.account_id,
        Role(row.role),
        row.user_agent,
        row.created_at,
        row.last_seen_at,
        row.expires_at,
    )


async def end_session(database: Database, account_id: uuid.UUID, session_id: uuid.UUID) -> bool:
    """End one of a user's sessions. False: they have none of that id."""
    query = delete(sessions).where(sessions.c.id == session_id, sessions.c.account_id == account_id)
    async with database.begin() as connection:
        return (await connection.execute(query)).rowcount == 1


async def end_other_sessions(
    database: Database, account_id: uuid.UUID, kept_session_id: uuid.UUID
) -> None:
    """End all of a user's sessions but one."""
    query = delete(sessions).where(
        sessions.c.account_id == account_id, sessions.c.id != kept_session_id
    )
    async with database.begin() as connection:
        await connection.execute(query)


async def sweep_sessions(
    database: Database, *, lifetimes: Lifetimes, now: datetime, rows_max: int = _SWEPT_ROWS_MAX
) -> bool:
    """Delete sessions and mail tokens that can no longer be used, `rows_max` of each.

    Whether there may be more. Several may run at once.
    """
    ended = (
        select(sessions.c.id)
        .where(not_(is_living(lifetimes, now)))
        .limit(rows_max)
        .with_for_update(skip_locked=True)
    )
    # The application may not update tokens, and so not lock them; a second deletion finds none.
    expired = select(email_tokens.c.token_hash).where(email_tokens.c.expires_at <= now)
    statements = (
        delete(sessions).where(sessions.c.id.in_(ended)),
        delete(email_tokens).where(email_tokens.c.token_hash.in_(expired.limit(rows_max))),
    )
    async with database.begin() as connection:
        rows = [(await connection.execute(statement)).rowcount for statement in statements]
    return max(rows) == rows_max


async def _keep_hash(
    connection: AsyncConnection, credentials: Credentials, new_hash: str | None
) -> bool:
    """Renew the hash. False: it is another than the one that was checked.

    The user's row is locked, so that whoever changes the password ends this session, too.
    """
    is_user = users.c.account_id == credentials.account_id
    query = select(users.c.password_hash).where(is_user).with_for_update()
    stored_hash = (await connection.execute(query)).scalar_one_or_none()
    if stored_hash != credentials.password_hash:
        return False
    if new_hash is not None:
        await connection.execute(update(users).where(is_user).values(password_hash=new_hash))
    return True


async def _insert_session(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    user_agent: str,
    lifetimes: Lifetimes,
    now: datetime,
) -> tuple[uuid.UUID, str]:
    session_id, token = uuid_utils.compat.uuid7(), make_token()
    await connection.execute(
        insert(sessions).values(
            id=session_id,
            account_id=account_id,
            token_hash=hash_token(token),
            user_agent=user_agent[:_USER_AGENT_CHARACTERS_MAX],
            created_at=now,
            last_seen_at=now,
            expires_at=now + lifetimes.absolute,
        )
    )
    return session_id, token
