"""Open, find and end sessions. Each is one transaction."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import uuid_utils.compat
from sqlalchemy import insert, select, update

from billing.database import Database
from billing.sessions.tables import sessions
from billing.sessions.values import Lifetimes, Role, Session, hash_token, make_token
from billing.users.tables import users

_SEEN_EVERY = timedelta(minutes=1)
"""How exact `last_seen_at` is: a write for every request would buy nothing."""

_USER_AGENT_CHARACTERS_MAX = 200


async def open_session(
    database: Database,
    account_id: uuid.UUID,
    *,
    user_agent: str,
    lifetimes: Lifetimes,
    now: datetime,
) -> tuple[uuid.UUID, str]:
    """The id of a new session of that user, and its token: shown this once."""
    session_id, token = uuid_utils.compat.uuid7(), make_token()
    async with database.begin() as connection:
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


async def find_session(
    database: Database, token: str, *, lifetimes: Lifetimes, now: datetime
) -> Session | None:
    """The living session of that token; that it was seen is noted once a minute."""
    query = (
        select(sessions, users.c.role)
        .join_from(sessions, users, users.c.account_id == sessions.c.account_id)
        .where(
            sessions.c.token_hash == hash_token(token),
            sessions.c.expires_at > now,
            sessions.c.last_seen_at > now - lifetimes.idle,
        )
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
