"""Give and take roles; somebody must stay able to do so."""

from __future__ import annotations

import uuid

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.actions import COMMAND_LINE, Actor, record
from billing.database import Database
from billing.sessions.values import Role
from billing.users.errors import LastAdmin, UserMissing
from billing.users.queries import USER_COLUMNS, fetch_credentials, user_of
from billing.users.tables import users
from billing.users.values import User


async def set_role(database: Database, account_id: uuid.UUID, role: Role, *, actor: Actor) -> User:
    """Give the user that role; audited where it is another than before.

    Raises UserMissing, and LastAdmin where nobody would be left with the role admin.
    """
    async with database.begin() as connection:
        await keep_an_admin(connection, account_id, stays=role is Role.ADMIN)
        query = select(*USER_COLUMNS).where(users.c.account_id == account_id).with_for_update()
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise UserMissing(f"no user has the account {account_id}")
        if row.role == role:
            return user_of(row)
        changed = (
            update(users)
            .where(users.c.account_id == account_id)
            .values(role=role)
            .returning(*USER_COLUMNS)
        )
        user = user_of((await connection.execute(changed)).one())
        details = {"before": row.role, "after": role}
        await record(connection, actor, "set_role", account_id=account_id, details=details)
    return user


async def promote_admin(database: Database, email: str) -> bool:
    """Make the user with that e-mail an admin, from the command line. False: there is none."""
    credentials = await fetch_credentials(database, email=email)
    if credentials is None:
        return False
    await set_role(database, credentials.account_id, Role.ADMIN, actor=COMMAND_LINE)
    return True


async def keep_an_admin(
    connection: AsyncConnection, account_id: uuid.UUID, *, stays: bool = False
) -> None:
    """Lock the admins, and raise LastAdmin if the account is their last and does not stay one."""
    query = (
        select(users.c.account_id)
        .where(users.c.role == Role.ADMIN)
        .order_by(users.c.account_id)
        .with_for_update()
    )
    admins = list((await connection.execute(query)).scalars())
    if admins == [account_id] and not stays:
        raise LastAdmin("the last admin cannot go: give somebody else the role first")
