"""Reserve credits, and end a hold once. Each is one transaction: the hold's row is locked first."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.holds.errors import HoldMissing
from billing.holds.queries import make_hold
from billing.holds.tables import holds
from billing.holds.values import Hold, Status, may_capture, may_release
from billing.posting import Kind, hold_credits, post_entry


async def reserve(database: Database, new: Hold) -> tuple[Hold, bool]:
    """Set credits aside; a hold of that id that is there already, and True, where it is equal.

    Raises CreditsMissing, AccountMissing, and IdempotencyConflict for another amount, reason or
    lifetime.
    """
    made = (
        insert(holds)
        .values(
            id=new.id,
            account_id=new.account_id,
            amount_microcredits=new.amount.microcredits,
            reason=new.reason,
            created_at=new.created_at,
            expires_at=new.expires_at,
        )
        .on_conflict_do_nothing(index_elements=["id"])
    )
    async with database.begin() as connection:
        if (await connection.execute(made)).rowcount == 1:
            await hold_credits(connection, new.account_id, new.amount)
            return new, False
        found = await connection.execute(select(holds).where(holds.c.id == new.id))
        hold = make_hold(found.one())
    if _content(hold) != _content(new):
        raise IdempotencyConflict(f"hold {new.id} is another one")
    return hold, True


async def capture(
    database: Database,
    account_id: uuid.UUID,
    hold_id: uuid.UUID,
    amount: Credits | None,
    now: datetime,
) -> Hold:
    """Spend what is held, all or `amount` (above zero), and give the rest back.

    The same again changes nothing. Raises HoldMissing, HoldResolved, HoldExpired, CaptureTooLarge.
    """
    async with database.begin() as connection:
        hold = await _lock_hold(connection, account_id, hold_id)
        captured = hold.amount if amount is None else amount
        if not may_capture(hold, captured, now):
            return hold
        resolved = await _resolve(connection, hold, Status.CAPTURED, now, captured)
        await post_entry(
            connection,
            account_id,
            Kind.CAPTURE,
            -captured,
            release=hold.amount,
            source_id=hold.id,
            reason=hold.reason,
        )
    return resolved


async def release(
    database: Database, account_id: uuid.UUID, hold_id: uuid.UUID, now: datetime
) -> Hold:
    """Give back what is held. The same again changes nothing.

    Raises HoldMissing, HoldResolved, HoldExpired.
    """
    async with database.begin() as connection:
        hold = await _lock_hold(connection, account_id, hold_id)
        if not may_release(hold):
            return hold
        return await _give_back(connection, hold, Status.RELEASED, now)


async def expire_holds(database: Database, now: datetime, *, holds_max: int = 100) -> bool:
    """Give back what is held past its time; whether more of it may be waiting.

    One transaction a hold: no lock of one account's balance is kept for another's.
    """
    for _ in range(holds_max):
        if not await _expire_next(database, now):
            return False
    return True


async def _expire_next(database: Database, now: datetime) -> bool:
    query = (
        select(holds)
        .where(holds.c.status == Status.OPEN, holds.c.expires_at <= now)
        .order_by(holds.c.expires_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return False
        await _give_back(connection, make_hold(row), Status.EXPIRED, now)
    return True


async def _lock_hold(
    connection: AsyncConnection, account_id: uuid.UUID, hold_id: uuid.UUID
) -> Hold:
    query = (
        select(holds)
        .where(holds.c.id == hold_id, holds.c.account_id == account_id)
        .with_for_update()
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise HoldMissing(f"there is no hold {hold_id}")
    return make_hold(row)


async def _give_back(
    connection: AsyncConnection, hold: Hold, status: Status, now: datetime
) -> Hold:
    resolved = await _resolve(connection, hold, status, now)
    await hold_credits(connection, hold.account_id, -hold.amount)
    return resolved


async def _resolve(
    connection: AsyncConnection, hold: Hold, status: Status, now: datetime, captured: Credits = ZERO
) -> Hold:
    resolved = await connection.execute(
        update(holds)
        .where(holds.c.id == hold.id)
        .values(status=status, captured_microcredits=captured.microcredits, resolved_at=now)
        .returning(*holds.c)
    )
    return make_hold(resolved.one())


def _content(hold: Hold) -> tuple[object, ...]:
    """What makes two requests for a hold the same."""
    return hold.account_id, hold.amount, hold.reason, hold.expires_at - hold.created_at
