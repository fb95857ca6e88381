"""Give back what a prediction cost, whole or in part, to the kind of credits that had paid it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.actions import Actor, record
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.grants.actions import Made
from billing.grants.adding import Origin, add_credits
from billing.grants.queries import fetch_uses, total_of
from billing.grants.settling import catch_up, settle_to_head
from billing.posting import Kind, lock_open_account
from billing.refunds.errors import PredictionMissing, RefundExceedsCharge
from billing.refunds.queries import find_refund
from billing.refunds.tables import refund_totals, refunds
from billing.refunds.values import Refund, RefundRequest, choose_parts, make_grants
from billing.tables import entries, predictions


@dataclass(frozen=True, slots=True)
class _Charge:
    account_id: uuid.UUID
    amount: Credits
    sequence: int


async def refund_prediction(
    database: Database, actor: Actor, request: RefundRequest, *, now: datetime, grace: timedelta
) -> Made[Refund]:
    """One transaction, after the account's entries were settled.

    What had paid but has expired since comes back for `grace` from `now`. Raises PredictionMissing,
    RefundExceedsCharge, IdempotencyConflict, and AccountMissing for a closed account.
    """
    charge = await _fetch_charge(database, request.charge_id)
    await catch_up(database, charge.account_id)
    async with database.begin() as connection:
        refunded = await _lock_refunded(connection, request.charge_id, charge.amount)
        earlier = await find_refund(connection, request.id)
        if earlier is not None:
            if not request.made(earlier):
                raise IdempotencyConflict(f"refund {request.id} is another")
            return Made(earlier, is_replay=True)
        left = charge.amount - refunded
        amount = left if request.amount is None else request.amount
        if amount > left or amount == ZERO:
            raise RefundExceedsCharge(left)
        await _write(connection, actor, request, charge.account_id, amount)
        await _give_back(connection, request, charge, refunded, amount, now=now, grace=grace)
        refund = await find_refund(connection, request.id)
    assert refund is not None
    return Made(refund, is_replay=False)


async def _fetch_charge(database: Database, charge_id: uuid.UUID) -> _Charge:
    query = (
        select(predictions.c.account_id, predictions.c.amount_microcredits, entries.c.sequence)
        .join_from(predictions, entries, entries.c.charge_id == predictions.c.charge_id)
        .where(predictions.c.charge_id == charge_id)
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise PredictionMissing(f"there is no prediction {charge_id}")
    return _Charge(row[0], Credits(row[1]), row[2])


async def _lock_refunded(
    connection: AsyncConnection, charge_id: uuid.UUID, charged: Credits
) -> Credits:
    """What went back before; every other refund of the charge waits until the transaction ends."""
    new = postgresql_insert(refund_totals).values(
        charge_id=charge_id, charged_microcredits=charged.microcredits, refunded_microcredits=0
    )
    await connection.execute(new.on_conflict_do_nothing())
    query = (
        select(refund_totals.c.refunded_microcredits)
        .where(refund_totals.c.charge_id == charge_id)
        .with_for_update()
    )
    return Credits((await connection.execute(query)).scalar_one())


async def _write(
    connection: AsyncConnection,
    actor: Actor,
    request: RefundRequest,
    account_id: uuid.UUID,
    amount: Credits,
) -> None:
    await connection.execute(
        update(refund_totals)
        .where(refund_totals.c.charge_id == request.charge_id)
        .values(refunded_microcredits=refund_totals.c.refunded_microcredits + amount.microcredits)
    )
    await connection.execute(
        insert(refunds).values(
            id=request.id,
            account_id=account_id,
            charge_id=request.charge_id,
            amount_microcredits=amount.microcredits,
            reason=request.reason,
            refunded_by=actor.id,
        )
    )
    await record(
        connection,
        actor,
        "refund_prediction",
        account_id=account_id,
        target=str(request.charge_id),
        details={"refund": str(request.id), "amount": str(amount), "reason": request.reason},
    )


async def _give_back(
    connection: AsyncConnection,
    request: RefundRequest,
    charge: _Charge,
    refunded: Credits,
    amount: Credits,
    *,
    now: datetime,
    grace: timedelta,
) -> None:
    await lock_open_account(connection, charge.account_id)
    await settle_to_head(connection, charge.account_id)
    uses = await fetch_uses(connection, charge.account_id, charge.sequence)
    assert total_of(uses) == charge.amount, "a settled charge is paid by its grants"
    await add_credits(
        connection,
        charge.account_id,
        Kind.REFUND,
        Origin.REFUND,
        make_grants(choose_parts(uses, refunded, amount), now, grace),
        source_id=request.id,
        reason=request.reason,
    )
