"""Set new passwords. Each use case is one transaction, and ends the user's sessions."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.database import Database
from billing.sessions.tables import sessions
from billing.users.errors import PasswordWrong
from billing.users.mails import MailLinks
from billing.users.tables import users
from billing.users.tokens import delete_tokens, send_token, use_token
from billing.users.values import Purpose


async def change_password(
    database: Database,
    account_id: uuid.UUID,
    *,
    verified_hash: str,
    new_hash: str,
    kept_session_id: uuid.UUID | None,
) -> None:
    """Replace the hash that the current password was checked against; all other sessions end.

    Raises PasswordWrong where it is another by now.
    """
    changed = (
        update(users)
        .where(users.c.account_id == account_id, users.c.password_hash == verified_hash)
        .values(password_hash=new_hash)
    )
    async with database.begin() as connection:
        if (await connection.execute(changed)).rowcount == 0:
            raise PasswordWrong("the password was changed meanwhile")
        await _end_sessions(connection, account_id, kept_session_id)


async def request_password_reset(
    database: Database, email: str, *, links: MailLinks, now: datetime
) -> None:
    """Send a link to the user with that e-mail; nothing happens if there is none."""
    query = select(users.c.account_id).where(users.c.email == email).with_for_update()
    async with database.begin() as connection:
        account_id = (await connection.execute(query)).scalar_one_or_none()
        if account_id is not None:
            await send_token(
                connection, account_id, email, Purpose.RESET_PASSWORD, links=links, now=now
            )


async def reset_password(database: Database, token: str, new_hash: str, *, now: datetime) -> None:
    """Use up the token and set the password; all sessions end. Raises LinkExpired."""
    async with database.begin() as connection:
        account_id = await use_token(connection, token, Purpose.RESET_PASSWORD, now)
        await connection.execute(
            update(users).where(users.c.account_id == account_id).values(password_hash=new_hash)
        )
        await _end_sessions(connection, account_id, None)


async def _end_sessions(
    connection: AsyncConnection, account_id: uuid.UUID, kept_session_id: uuid.UUID | None
) -> None:
    """All but one, and the links by which somebody else might set a password."""
    ended = delete(sessions).where(sessions.c.account_id == account_id)
    if kept_session_id is not None:
        ended = ended.where(sessions.c.id != kept_session_id)
    await connection.execute(ended)
    await delete_tokens(connection, account_id, Purpose.RESET_PASSWORD)
