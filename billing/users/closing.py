"""Delete a user: what is personal goes, the ledger stays."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.alerts.tables import alerts, deliveries
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.posting import Kind, lock_balance, post_entry
from billing.refund_requests.deciding import forget_requests
from billing.tables import accounts, api_keys
from billing.users.errors import ConfirmationNeeded, HoldsOpen, PasswordWrong
from billing.users.roles import keep_an_admin
from billing.users.tables import users


async def close_account(
    database: Database,
    account_id: uuid.UUID,
    *,
    verified_hash: str,
    forfeited: Credits,
    now: datetime,
) -> None:
    """Forfeit what is left, revoke the keys, and forget the person; the entries stay.

    Raises PasswordWrong where the password was changed meanwhile, LastAdmin, HoldsOpen, and
    ConfirmationNeeded unless `forfeited` is exactly what is available.
    """
    async with database.begin() as connection:
        await keep_an_admin(connection, account_id)
        await _lock_user(connection, account_id, verified_hash)
        # Before the account's row: who makes an alert takes the two in that order.
        last = await lock_balance(connection, account_id)
        await _forget(connection, account_id, now)
        if last.available != last.balance:
            raise HoldsOpen("credits are held for work under way: wait for its end")
        if last.available != forfeited:
            raise ConfirmationNeeded(last.available)
        if forfeited > ZERO:
            await post_entry(
                connection, account_id, Kind.ADJUSTMENT, ZERO - forfeited, reason="account deleted"
            )


async def _lock_user(
    connection: AsyncConnection, account_id: uuid.UUID, verified_hash: str
) -> None:
    query = select(users.c.password_hash).where(users.c.account_id == account_id).with_for_update()
    stored = (await connection.execute(query)).scalar_one_or_none()
    if stored != verified_hash:
        raise PasswordWrong("the password was changed meanwhile")


async def _forget(connection: AsyncConnection, account_id: uuid.UUID, now: datetime) -> None:
    """All that says who it was. Sessions and tokens go with the user."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(name=f"deleted {account_id}", closed_at=now)
    )
    await connection.execute(
        update(api_keys)
        .where(api_keys.c.account_id == account_id)
        .values(name="deleted", revoked_at=func.coalesce(api_keys.c.revoked_at, now))
    )
    await forget_requests(connection, account_id, now)
    await connection.execute(delete(alerts).where(alerts.c.account_id == account_id))
    await connection.execute(delete(deliveries).where(deliveries.c.account_id == account_id))
    await connection.execute(delete(users).where(users.c.account_id == account_id))
