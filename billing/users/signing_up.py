"""Make users, verify their addresses and welcome them. Each use case is one transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

import uuid_utils.compat
from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.actions import Actor, record
from billing.credits import ZERO
from billing.database import Database
from billing.grants.adding import add_grant
from billing.sessions.values import Role
from billing.tables import accounts, balances
from billing.users.errors import EmailTaken
from billing.users.mails import MailLinks
from billing.users.queries import USER_COLUMNS, user_of
from billing.users.tables import users, welcomed_addresses
from billing.users.tokens import send_token, use_token
from billing.users.values import Purpose, User, Welcome


async def create_user(
    database: Database,
    email: str,
    password_hash: str,
    *,
    welcome: Welcome,
    links: MailLinks | None,
    now: datetime,
) -> User:
    """An account, its balance, its user and the welcome credits. Raises EmailTaken.

    `email` as `normalise_email` gives it. With `links` a mail is sent that verifies the address,
    and the welcome waits for that.
    """
    async with database.begin() as connection:
        user = await _insert_user(connection, email, password_hash, Role.USER, now)
        if links is not None:
            await send_token(
                connection, user.account_id, email, Purpose.VERIFY_EMAIL, links=links, now=now
            )
        else:
            await _give_welcome(connection, user.account_id, email, welcome, now)
    return user


async def create_admin(
    database: Database, email: str, password_hash: str, *, actor: Actor, now: datetime
) -> User:
    """A user with the role admin, without a welcome; audited. Raises EmailTaken."""
    async with database.begin() as connection:
        user = await _insert_user(connection, email, password_hash, Role.ADMIN, now)
        await record(connection, actor, "create_admin", account_id=user.account_id)
    return user


async def verify_email(database: Database, token: str, *, welcome: Welcome, now: datetime) -> User:
    """Use up the token: the address is its user's, who is welcomed now. Raises LinkExpired."""
    async with database.begin() as connection:
        account_id = await use_token(connection, token, Purpose.VERIFY_EMAIL, now)
        verified = await connection.execute(
            update(users)
            .where(users.c.account_id == account_id)
            .values(email_verified_at=now)
            .returning(*USER_COLUMNS)
        )
        user = user_of(verified.one())
        await _give_welcome(connection, account_id, user.email, welcome, now)
    return user


async def send_verification(
    database: Database, account_id: uuid.UUID, *, links: MailLinks, now: datetime
) -> bool:
    """Send the mail again, with a new token. False: there is nothing to verify any more."""
    query = (
        select(users.c.email)
        .where(users.c.account_id == account_id, users.c.email_verified_at.is_(None))
        .with_for_update()
    )
    async with database.begin() as connection:
        email = (await connection.execute(query)).scalar_one_or_none()
        if email is None:
            return False
        await send_token(connection, account_id, email, Purpose.VERIFY_EMAIL, links=links, now=now)
    return True


async def _insert_user(
    connection: AsyncConnection, email: str, password_hash: str, role: Role, now: datetime
) -> User:
    account_id: uuid.UUID = uuid_utils.compat.uuid7()
    await _insert_account(connection, account_id, email)
    inserted = await connection.execute(
        postgresql_insert(users)
        .values(
            account_id=account_id,
            email=email,
            password_hash=password_hash,
            role=role,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(*USER_COLUMNS)
    )
    row = inserted.one_or_none()
    if row is None:
        raise EmailTaken("a user with this e-mail exists")
    return user_of(row)


async def _insert_account(connection: AsyncConnection, account_id: uuid.UUID, email: str) -> None:
    """Named by the e-mail; by the id as well where an account without a user has that name."""
    named = await connection.execute(
        postgresql_insert(accounts)
        .values(id=account_id, name=email)
        .on_conflict_do_nothing(index_elements=["name"])
    )
    if named.rowcount == 0:
        name = f"{email} ({account_id})"
        await connection.execute(insert(accounts).values(id=account_id, name=name))
    await connection.execute(insert(balances).values(account_id=account_id))


async def _give_welcome(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    email: str,
    welcome: Welcome,
    now: datetime,
) -> None:
    """Once per address: whoever writes its hash first gives the credits."""
    if welcome.amount <= ZERO:
        return
    noted = await connection.execute(
        postgresql_insert(welcomed_addresses)
        .values(address_hash=welcome.hash_address(email), created_at=now)
        .on_conflict_do_nothing(index_elements=["address_hash"])
    )
    if noted.rowcount == 0:
        return
    expires_at = now + welcome.expires_after if welcome.expires_after else None
    await add_grant(connection, account_id, welcome.amount, reason="welcome", expires_at=expires_at)
