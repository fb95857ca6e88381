"""Read grants, and which of them paid for an entry."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Row, case, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import AccountMissing
from billing.grants.adding import Origin
from billing.grants.errors import AdjustmentMissing, EntryMissing, GrantMissing
from billing.grants.settlement import make_burn_order
from billing.grants.tables import adjustments, grant_uses, grants, settled
from billing.grants.values import Adjustment, EntryUses, Grant, Use
from billing.tables import accounts, entries

_GRANT = (
    grants.c.id,
    grants.c.account_id,
    grants.c.sequence,
    grants.c.origin,
    grants.c.priority,
    grants.c.expires_at,
    grants.c.amount_microcredits,
    grants.c.remaining_microcredits,
    grants.c.reason,
    grants.c.created_at,
)


async def fetch_grants(
    database: Database,
    account_id: uuid.UUID,
    *,
    limit: int,
    before: tuple[int, uuid.UUID] | None = None,
) -> list[Grant]:
    """The account's grants, newest first; `before` is the sequence and id of the last one seen.

    Raises AccountMissing.
    """
    query = (
        select(*_GRANT)
        .where(grants.c.account_id == account_id)
        .order_by(grants.c.sequence.desc(), grants.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(grants.c.sequence, grants.c.id) < before)
    async with database.begin() as connection:
        found = [_grant(row) for row in await connection.execute(query)]
        if not found:
            await _check_account(connection, account_id)
    return found


async def fetch_grant(database: Database, account_id: uuid.UUID, grant_id: uuid.UUID) -> Grant:
    """Raises GrantMissing."""
    async with database.begin() as connection:
        grant = await find_grant(connection, grant_id)
    if grant is None or grant.account_id != account_id:
        raise GrantMissing(f"the account has no grant {grant_id}")
    return grant


async def find_grant(connection: AsyncConnection, grant_id: uuid.UUID) -> Grant | None:
    """Whoever it belongs to: for those who made the id."""
    found = await connection.execute(select(*_GRANT).where(grants.c.id == grant_id))
    row = found.one_or_none()
    return None if row is None else _grant(row)


async def fetch_adjustment(
    database: Database, account_id: uuid.UUID, adjustment_id: uuid.UUID
) -> Adjustment:
    """Raises AdjustmentMissing."""
    async with database.begin() as connection:
        adjustment = await find_adjustment(connection, adjustment_id)
    if adjustment is None or adjustment.account_id != account_id:
        raise AdjustmentMissing(f"the account has no adjustment {adjustment_id}")
    return adjustment


async def find_adjustment(
    connection: AsyncConnection, adjustment_id: uuid.UUID
) -> Adjustment | None:
    """Whoever it belongs to: for those who made the id."""
    query = select(
        adjustments.c.id,
        adjustments.c.account_id,
        adjustments.c.sequence,
        adjustments.c.amount_microcredits,
        adjustments.c.reason,
        adjustments.c.created_at,
    ).where(adjustments.c.id == adjustment_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Adjustment(row[0], row[1], row[2], Credits(row[3]), row[4], row[5])


async def fetch_entry_uses(database: Database, account_id: uuid.UUID, sequence: int) -> EntryUses:
    """Which grants paid that entry. Raises EntryMissing."""
    query = (
        select(settled.c.sequence)
        .join_from(entries, settled, settled.c.account_id == entries.c.account_id, isouter=True)
        .where(entries.c.account_id == account_id, entries.c.sequence == sequence)
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise EntryMissing(f"the account has no entry {sequence}")
        if row[0] is None or row[0] < sequence:
            return EntryUses(sequence, is_settled=False, uses=[])
        return EntryUses(
            sequence, is_settled=True, uses=await fetch_uses(connection, account_id, sequence)
        )


async def fetch_uses(
    connection: AsyncConnection, account_id: uuid.UUID, sequence: int
) -> list[Use]:
    """Which grants paid that entry, in burn-down order; none where it is not settled or took none.

    Spans follow one another and share one debit at most: those over an entry end at it, or are the
    one that ends next after it.
    """
    its_own = grant_uses.c.account_id == account_id
    next_end = (
        select(func.min(grant_uses.c.last_sequence))
        .where(its_own, grant_uses.c.last_sequence > sequence)
        .scalar_subquery()
    )
    in_middle = -entries.c.amount_microcredits
    query = (
        select(
            grants.c.id,
            grants.c.priority,
            grants.c.expires_at,
            case(
                (grant_uses.c.first_sequence == sequence, grant_uses.c.first_microcredits),
                (grant_uses.c.last_sequence == sequence, grant_uses.c.last_microcredits),
                else_=in_middle,
            ),
        )
        .join_from(grant_uses, grants, grants.c.id == grant_uses.c.grant_id)
        .join(entries, entries.c.account_id == grant_uses.c.account_id)
        .where(
            its_own,
            entries.c.sequence == sequence,
            entries.c.amount_microcredits < 0,
            grant_uses.c.first_sequence <= sequence,
            grant_uses.c.last_sequence >= sequence,
            grant_uses.c.last_sequence <= func.coalesce(next_end, sequence),
        )
    )
    found = [
        Use(grant_id, priority, expires_at, Credits(microcredits))
        for grant_id, priority, expires_at, microcredits in await connection.execute(query)
    ]
    return sorted(
        found, key=lambda use: make_burn_order(use.priority, use.expires_at, use.grant_id)
    )


def total_of(uses: list[Use]) -> Credits:
    """What they paid together."""
    return sum((use.amount for use in uses), ZERO)


async def _check_account(connection: AsyncConnection, account_id: uuid.UUID) -> None:
    query = select(accounts.c.id).where(accounts.c.id == account_id)
    if (await connection.execute(query)).one_or_none() is None:
        raise AccountMissing(f"there is no account {account_id}")


def _grant(row: Row[*tuple[Any, ...]]) -> Grant:
    return Grant(
        id=row.id,
        account_id=row.account_id,
        sequence=row.sequence,
        origin=Origin(row.origin),
        priority=row.priority,
        expires_at=row.expires_at,
        amount=Credits(row.amount_microcredits),
        remaining=Credits(row.remaining_microcredits),
        reason=row.reason,
        created_at=row.created_at,
    )
