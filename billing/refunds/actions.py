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
from billing.refund_requests.deciding import accept_open_request
from billing.refund_requests.values import Decision
from billing.refunds.errors import PredictionMissing, RefundExceedsCharge
from billing.refunds.queries import find_refund
from billing.refunds.tables import refund_totals, refunds
from billing.refunds.values import NewRefund, Refund, choose_parts, make_grants
from billing.tables import entries, predictions


@dataclass(frozen=True, slots=True)
class Charge:
    """What a prediction cost, and the entry that took it."""

    id: uuid.UUID
    account_id: uuid.UUID
    amount: Credits
    sequence: int


async def refund_prediction(
    database: Database, actor: Actor, new: NewRefund, *, now: datetime, grace: timedelta
) -> Made[Refund]:
    """One transaction, after the account's entries were settled.

    What had paid but has expired since comes back for `grace` from `now`. Where nothing is left
    to refund then, an open request of the prediction is accepted by it. Raises PredictionMissing,
    RefundExceedsCharge, IdempotencyConflict, and AccountMissing for a closed account.
    """
    charge = await fetch_charge(database, new.charge_id)
    async with database.begin() as connection:
        refunded = await lock_refunded(connection, charge)
        earlier = await find_refund(connection, new.id)
        if earlier is not None:
            if not new.made(earlier):
                raise IdempotencyConflict(f"refund {new.id} is another")
            return Made(earlier, is_replay=True)
        refund = await refund_charge(connection, actor, charge, refunded, new, now=now, grace=grace)
        if refunded + refund.amount == charge.amount:
            decision = Decision(now, new.reason, refund.id)
            await accept_open_request(connection, actor, charge.id, decision)
    return Made(refund, is_replay=False)


async def fetch_charge(database: Database, charge_id: uuid.UUID) -> Charge:
    """With the account's entries settled, as far as there were any. Raises PredictionMissing."""
    query = (
        select(predictions.c.account_id, predictions.c.amount_microcredits, entries.c.sequence)
        .join_from(predictions, entries, entries.c.charge_id == predictions.c.charge_id)
        .where(predictions.c.charge_id == charge_id)
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise PredictionMissing(f"there is no prediction {charge_id}")
    charge = Charge(charge_id, row[0], Credits(row[1]), row[2])
    await catch_up(database, charge.account_id)
    return charge


async def lock_refunded(connection: AsyncConnection, charge: Charge) -> Credits:
    """What went back before; every other refund of the charge waits until the transaction ends."""
    row = postgresql_insert(refund_totals).values(
        charge_id=charge.id,
        charged_microcredits=charge.amount.microcredits,
        refunded_microcredits=0,
    )
    await connection.execute(row.on_conflict_do_nothing())
    query = (
        select(refund_totals.c.refunded_microcredits)
        .where(refund_totals.c.charge_id == charge.id)
        .with_for_update()
    )
    return Credits((await connection.execute(query)).scalar_one())


async def refund_charge(
    connection: AsyncConnection,
    actor: Actor,
    charge: Charge,
    refunded: Credits,
    new: NewRefund,
    *,
    now: datetime,
    grace: timedelta,
) -> Refund:
    """Give back what `new` says, `refunded` being what `lock_refunded` told.

    The transaction holds the account's balance from here on. Raises RefundExceedsCharge and
    AccountMissing.
    """
    left = charge.amount - refunded
    amount = left if new.amount is None else new.amount
    if amount > left or amount == ZERO:
        raise RefundExceedsCharge(left)
    await _write(connection, actor, new, charge.account_id, amount)
    await _give_back(connection, new, charge, refunded, amount, now=now, grace=grace)
    refund = await find_refund(connection, new.id)
    assert refund is not None
    return refund


async def _write(
    connection: AsyncConnection,
    actor: Actor,
    new: NewRefund,
    account_id: uuid.UUID,
    amount: Credits,
) -> None:
    await connection.execute(
        update(refund_totals)
        .where(refund_totals.c.charge_id == new.charge_id)
        .values(refunded_microcredits=refund_totals.c.refunded_microcredits + amount.microcredits)
    )
    await connection.execute(
        insert(refunds).values(
            id=new.id,
            account_id=account_id,
            charge_id=new.charge_id,
            amount_microcredits=amount.microcredits,
            reason=new.reason,
            refunded_by=actor.id,
        )
    )
    await record(
        connection,
        actor,
        "refund_prediction",
        account_id=account_id,
        target=str(new.charge_id),
        details={"refund": str(new.id), "amount": str(amount), "reason": new.reason},
    )


async def _give_back(
    connection: AsyncConnection,
    new: NewRefund,
    charge: Charge,
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
        source_id=new.id,
        reason=new.reason,
    )
