"""Read users."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from billing.database import Database
from billing.sessions.values import Role, hash_token
from billing.users.errors import UserMissing
from billing.users.tables import email_tokens, users
from billing.users.values import Credentials, Purpose, User

USER_COLUMNS = (
    users.c.account_id,
    users.c.email,
    users.c.role,
    users.c.email_verified_at,
    users.c.created_at,
)
_CREDENTIALS = (users.c.account_id, users.c.email, users.c.password_hash, users.c.role)


def user_of(row: Row[Any, Any, Any, Any, Any]) -> User:
    """From a row of USER_COLUMNS."""
    return User(row.account_id, row.email, Role(row.role), row.email_verified_at, row.created_at)


async def fetch_user(database: Database, account_id: uuid.UUID) -> User:
    """The user of that account. Raises UserMissing: a command may have made it without one."""
    query = select(*USER_COLUMNS).where(users.c.account_id == account_id)
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise UserMissing(f"no user has the account {account_id}")
    return user_of(row)


async def fetch_users(
    database: Database, *, email: str | None, before: uuid.UUID | None, rows_max: int
) -> Sequence[User]:
    """Newest first, from behind the account `before`; of that e-mail alone where one is given."""
    query = select(*USER_COLUMNS).order_by(users.c.account_id.desc()).limit(rows_max)
    if email is not None:
        query = query.where(users.c.email == email)
    if before is not None:
        query = query.where(users.c.account_id < before)
    async with database.begin() as connection:
        return [user_of(row) for row in await connection.execute(query)]


async def fetch_credentials(
    database: Database, *, email: str | None = None, account_id: uuid.UUID | None = None
) -> Credentials | None:
    """By e-mail or by account: one of the two."""
    assert (email is None) is not (account_id is None)
    query = select(*_CREDENTIALS)
    if email is not None:
        query = query.where(users.c.email == email)
    else:
        query = query.where(users.c.account_id == account_id)
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Credentials(row.account_id, row.email, row.password_hash, Role(row.role))


async def fetch_reset_email(database: Database, token: str, now: datetime) -> str | None:
    """Whose password the token could set; it is not used up by this."""
    query = (
        select(users.c.email)
        .join_from(users, email_tokens, email_tokens.c.account_id == users.c.account_id)
        .where(
            email_tokens.c.token_hash == hash_token(token),
            email_tokens.c.purpose == Purpose.RESET_PASSWORD,
            email_tokens.c.expires_at > now,
        )
    )
    async with database.begin() as connection:
        email: str | None = (await connection.execute(query)).scalar_one_or_none()
    return email
