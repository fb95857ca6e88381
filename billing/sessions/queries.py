"""Read sessions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select

from billing.database import Database
from billing.sessions.tables import sessions
from billing.sessions.values import Lifetimes, Role, Session
from billing.users.tables import users


def is_living(lifetimes: Lifetimes, now: datetime) -> ColumnElement[bool]:
    """Whether a session can still be used."""
    used = sessions.c.last_seen_at > now - lifetimes.idle
    return (sessions.c.expires_at > now) & used


async def fetch_sessions(
    database: Database,
    account_id: uuid.UUID,
    *,
    lifetimes: Lifetimes,
    now: datetime,
    before: uuid.UUID | None,
    rows_max: int,
) -> Sequence[Session]:
    """A user's living sessions, newest first, from behind the session `before`."""
    query = (
        select(sessions, users.c.role)
        .join_from(sessions, users, users.c.account_id == sessions.c.account_id)
        .where(sessions.c.account_id == account_id, is_living(lifetimes, now))
        .order_by(sessions.c.id.desc())
        .limit(rows_max)
    )
    if before is not None:
        query = query.where(sessions.c.id < before)
    async with database.begin() as connection:
        rows = (await connection.execute(query)).all()
    return [
        Session(
            row.id,
            row.account_id,
            Role(row.role),
            row.user_agent,
            row.created_at,
            row.last_seen_at,
            row.expires_at,
        )
        for row in rows
    ]
