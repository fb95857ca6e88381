"""Tokens that are sent by mail: stored as hashes, used up once."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime

import uuid_utils.compat
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.alerts.tables import deliveries
from billing.sessions.values import hash_token, make_random_text
from billing.users.errors import LinkExpired
from billing.users.mails import MailLinks
from billing.users.tables import email_tokens, users
from billing.users.values import Purpose


async def send_token(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    email: str,
    purpose: Purpose,
    *,
    links: MailLinks,
    now: datetime,
) -> None:
    """Store a new token as a hash, and put the mail that brings it into the outbox.

    The user's row is locked or new: earlier tokens of the same purpose end.
    """
    await delete_tokens(connection, account_id, purpose)
    token = make_random_text()
    await connection.execute(
        insert(email_tokens).values(
            token_hash=hash_token(token),
            account_id=account_id,
            purpose=purpose,
            created_at=now,
            expires_at=now + links.lifetime(purpose),
        )
    )
    await connection.execute(
        insert(deliveries).values(
            id=uuid_utils.compat.uuid7(),
            account_id=account_id,
            channel="email",
            event=purpose,
            payload=asdict(links.write(purpose, email, token)),
            next_attempt_at=now,
            created_at=now,
        )
    )


async def use_token(
    connection: AsyncConnection, token: str, purpose: Purpose, now: datetime
) -> uuid.UUID:
    """The account of the token, which is no longer one; its user is locked. Raises LinkExpired."""
    is_token = email_tokens.c.token_hash == hash_token(token)
    query = (
        select(users.c.account_id)
        .join_from(users, email_tokens, email_tokens.c.account_id == users.c.account_id)
        .where(is_token, email_tokens.c.purpose == purpose, email_tokens.c.expires_at > now)
        .with_for_update(of=users)
    )
    account_id: uuid.UUID | None = (await connection.execute(query)).scalar_one_or_none()
    used = await connection.execute(delete(email_tokens).where(is_token)) if account_id else None
    if account_id is None or used is None or used.rowcount == 0:
        raise LinkExpired("the link was used before, or is too old")
    return account_id


async def delete_tokens(
    connection: AsyncConnection, account_id: uuid.UUID, purpose: Purpose
) -> None:
    """Of that purpose, so that their links work no longer."""
    await connection.execute(
        delete(email_tokens).where(
            email_tokens.c.account_id == account_id, email_tokens.c.purpose == purpose
        )
    )
