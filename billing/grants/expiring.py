"""Take expired credits out. Until its expiry entry is posted a grant can be spent."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import Credits
from billing.database import Database
from billing.grants.settling import catch_up, settle_to_head
from billing.grants.tables import grants
from billing.posting import Kind, lock_balance, post_entry
from billing.tables import balances

GRANTS_MAX = 100
"""Expired in one transaction."""


async def expire_grants(database: Database, now: datetime, accounts_max: int = 100) -> bool:
    """Expire what is due at some accounts, those due longest first; whether more may be waiting.

    Any number may run at once: what one has taken, the other finds gone.
    """
    account_ids = await _find_due(database, now, accounts_max)
    has_more = len(account_ids) == accounts_max
    for account_id in account_ids:
        has_more |= await expire_grants_of(database, account_id, now)
    return has_more


async def expire_grants_of(database: Database, account_id: uuid.UUID, now: datetime) -> bool:
    """Post an `expiry` for each grant that is due, in burn-down order; whether more is waiting.

    What is held stays until it is released: the next run takes it. Raises AccountMissing.
    """
    if not await catch_up(database, account_id):
        return True
    async with database.begin() as connection:
        available = (await lock_balance(connection, account_id)).available
        await settle_to_head(connection, account_id)
        due = await _fetch_due(connection, account_id, now)
        for grant_id, remaining in due:
            amount = min(remaining, available)
            if amount == Credits(0):
                return False
            posted = await post_entry(
                connection,
                account_id,
                Kind.EXPIRY,
                -amount,
                source_id=grant_id,
                reason="the grant has expired",
            )
            available = posted.available
        await settle_to_head(connection, account_id)
    return len(due) == GRANTS_MAX


async def _find_due(database: Database, now: datetime, accounts_max: int) -> list[uuid.UUID]:
    """Accounts with an expired grant that is not known to be used up, and credits not held."""
    query = (
        select(grants.c.account_id)
        .join_from(grants, balances, balances.c.account_id == grants.c.account_id)
        .where(
            grants.c.expires_at <= now,
            grants.c.remaining_microcredits > 0,
            balances.c.posted > balances.c.held,
        )
        .group_by(grants.c.account_id)
        .order_by(func.min(grants.c.expires_at))
        .limit(accounts_max)
    )
    async with database.begin() as connection:
        return list((await connection.execute(query)).scalars())


async def _fetch_due(
    connection: AsyncConnection, account_id: uuid.UUID, now: datetime
) -> list[tuple[uuid.UUID, Credits]]:
    query = (
        select(grants.c.id, grants.c.remaining_microcredits)
        .where(
            grants.c.account_id == account_id,
            grants.c.expires_at <= now,
            grants.c.remaining_microcredits > 0,
        )
        .order_by(grants.c.priority, grants.c.expires_at, grants.c.id)
        .limit(GRANTS_MAX)
    )
    return [
        (grant_id, Credits(microcredits))
        for grant_id, microcredits in await connection.execute(query)
    ]
