"""Operators give credits away and put balances right. Each use case is one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.actions import Actor, record
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import CreditsMissing, IdempotencyConflict
from billing.grants.adding import PAID_PRIORITY, NewGrant, Origin, add_credits, add_grant
from billing.grants.queries import find_adjustment, find_grant
from billing.grants.tables import adjustments
from billing.grants.values import Adjustment, Grant
from billing.posting import Kind, Posted, lock_open_account, post_entry

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Gift:
    """Credits to give away. `id` makes it safe to ask again."""

    id: uuid.UUID
    account_id: uuid.UUID
    amount: Credits
    reason: str
    priority: int
    expires_at: datetime | None

    def made(self, grant: Grant) -> bool:
        """Whether `grant` is this gift."""
        return self == Gift(
            grant.id,
            grant.account_id,
            grant.amount,
            grant.reason,
            grant.priority,
            grant.expires_at,
        )


@dataclass(frozen=True, slots=True)
class Made(Generic[Thing]):
    """What there is now, and whether an earlier, equal request had made it."""

    thing: Thing
    is_replay: bool


async def give_grant(database: Database, actor: Actor, gift: Gift) -> Made[Grant]:
    """Raises AccountMissing, also for a closed account, and IdempotencyConflict."""
    assert gift.amount > ZERO
    try:
        async with database.begin() as connection:
            await lock_open_account(connection, gift.account_id)
            grant = await find_grant(connection, gift.id)
            if grant is not None:
                if not gift.made(grant):
                    raise IdempotencyConflict(f"grant {gift.id} is another")
                return Made(grant, is_replay=True)
            await add_grant(
                connection,
                gift.account_id,
                gift.amount,
                reason=gift.reason,
                priority=gift.priority,
                expires_at=gift.expires_at,
                grant_id=gift.id,
            )
            await record(
                connection,
                actor,
                "give_grant",
                account_id=gift.account_id,
                target=str(gift.id),
                details={"amount": str(gift.amount), "reason": gift.reason},
            )
            grant = await find_grant(connection, gift.id)
    except IntegrityError as error:
        raise _conflict_of(error) from error
    assert grant is not None
    return Made(grant, is_replay=False)


async def adjust_balance(
    database: Database,
    actor: Actor,
    account_id: uuid.UUID,
    *,
    adjustment_id: uuid.UUID,
    amount: Credits,
    reason: str,
) -> Made[Adjustment]:
    """Add credits as if they were paid for, or take some that are neither spent nor held.

    Raises AccountMissing, also for a closed account, CreditsMissing and IdempotencyConflict.
    """
    assert amount != ZERO
    try:
        async with database.begin() as connection:
            before = await lock_open_account(connection, account_id)
            made = await find_adjustment(connection, adjustment_id)
            if made is not None:
                if (made.account_id, made.amount, made.reason) != (account_id, amount, reason):
                    raise IdempotencyConflict(f"adjustment {adjustment_id} is another")
                return Made(made, is_replay=True)
            if before.available + amount < ZERO:
                raise CreditsMissing("the account has not enough credits")
            posted = await _post_adjustment(connection, account_id, adjustment_id, amount, reason)
            await connection.execute(
                insert(adjustments).values(
                    id=adjustment_id,
                    account_id=account_id,
                    sequence=posted.sequence,
                    amount_microcredits=amount.microcredits,
                    reason=reason,
                )
            )
            await record(
                connection,
                actor,
                "adjust_balance",
                account_id=account_id,
                target=str(adjustment_id),
                details={"amount": str(amount), "reason": reason},
            )
            made = await find_adjustment(connection, adjustment_id)
    except IntegrityError as error:
        raise _conflict_of(error) from error
    assert made is not None
    return Made(made, is_replay=False)


async def _post_adjustment(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    adjustment_id: uuid.UUID,
    amount: Credits,
    reason: str,
) -> Posted:
    if amount < ZERO:
        return await post_entry(
            connection,
            account_id,
            Kind.ADJUSTMENT,
            amount,
            source_id=adjustment_id,
            reason=reason,
        )
    part = NewGrant(amount, PAID_PRIORITY, id=adjustment_id)
    return await add_credits(
        connection,
        account_id,
        Kind.ADJUSTMENT,
        Origin.ADJUSTMENT,
        [part],
        source_id=adjustment_id,
        reason=reason,
    )


def _conflict_of(error: IntegrityError) -> Exception:
    """The same id for two accounts at once: the later of them finds it taken."""
    if "grants_pkey" in str(error.orig) or "adjustments_pkey" in str(error.orig):
        return IdempotencyConflict("the id was taken meanwhile")
    return error
