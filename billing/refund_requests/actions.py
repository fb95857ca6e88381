"""A user asks for a refund; an operator accepts or declines. Each is one transaction."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.actions import Actor
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.grants.actions import Made
from billing.posting import lock_balance, lock_open_account
from billing.refund_requests.deciding import decide
from billing.refund_requests.errors import (
    PredictionFree,
    PredictionRefunded,
    RequestDecided,
    RequestOpen,
    RequestsTooMany,
)
from billing.refund_requests.queries import fetch_request, find_open_request, find_request
from billing.refund_requests.tables import refund_requests
from billing.refund_requests.values import Decision, NewRequest, RefundRequest, Status
from billing.refunds.actions import fetch_charge, lock_refunded, refund_charge
from billing.refunds.errors import PredictionMissing
from billing.refunds.tables import refund_totals
from billing.refunds.values import NewRefund
from billing.tables import predictions


async def request_refund(
    database: Database, new: NewRequest, *, open_max: int
) -> Made[RefundRequest]:
    """Raises PredictionMissing, PredictionFree, PredictionRefunded, RequestOpen, RequestsTooMany,
    IdempotencyConflict, and AccountMissing for a closed account."""
    async with database.begin() as connection:
        charged = await _fetch_charged(connection, new)
        # Refunds and decisions wait for it: what is read below stays so until the end.
        await lock_open_account(connection, new.account_id)
        earlier = await find_request(connection, new.id)
        if earlier is not None:
            if not new.made(earlier):
                raise IdempotencyConflict(f"refund request {new.id} is another")
            return Made(earlier, is_replay=True)
        await _check_refundable(connection, new.charge_id, charged)
        await _check_room(connection, new, open_max)
        await connection.execute(
            insert(refund_requests).values(
                id=new.id,
                account_id=new.account_id,
                charge_id=new.charge_id,
                reason=new.reason,
            )
        )
        request = await find_request(connection, new.id)
    assert request is not None
    return Made(request, is_replay=False)


async def accept_request(
    database: Database,
    actor: Actor,
    request_id: uuid.UUID,
    amount: Credits | None,
    decision: Decision,
    *,
    grace: timedelta,
) -> RefundRequest:
    """Give back `amount`, or all that is left, and close the request by the same transaction.

    `decision.refund_id` becomes the refund's id. Raises RequestMissing, RequestDecided,
    RefundExceedsCharge.
    """
    assert decision.refund_id is not None
    request = await fetch_request(database, request_id)
    _check_open(request)
    charge = await fetch_charge(database, request.charge_id)
    new = NewRefund(decision.refund_id, request.charge_id, amount, decision.reason)
    async with database.begin() as connection:
        # Once the others' refunds are done, who was first is seen before what is left.
        refunded = await lock_refunded(connection, charge)
        _check_open(await find_request(connection, request_id))
        await refund_charge(connection, actor, charge, refunded, new, now=decision.at, grace=grace)
        return await decide(connection, actor, request, decision)


async def decline_request(
    database: Database, actor: Actor, request_id: uuid.UUID, decision: Decision
) -> RefundRequest:
    """Raises RequestMissing, RequestDecided."""
    assert decision.refund_id is None
    request = await fetch_request(database, request_id)
    async with database.begin() as connection:
        await lock_balance(connection, request.account_id)
        return await decide(connection, actor, request, decision)


def _check_open(request: RefundRequest | None) -> None:
    assert request is not None, "requests are not deleted"
    if request.status is not Status.OPEN:
        raise RequestDecided(request)


async def _fetch_charged(connection: AsyncConnection, new: NewRequest) -> Credits:
    query = select(predictions.c.amount_microcredits).where(
        predictions.c.charge_id == new.charge_id, predictions.c.account_id == new.account_id
    )
    microcredits = (await connection.execute(query)).scalar_one_or_none()
    if microcredits is None:
        raise PredictionMissing(f"the account has no prediction {new.charge_id}")
    return Credits(microcredits)


async def _check_refundable(
    connection: AsyncConnection, charge_id: uuid.UUID, charged: Credits
) -> None:
    if charged == ZERO:
        raise PredictionFree(f"prediction {charge_id} cost nothing")
    query = select(refund_totals.c.refunded_microcredits).where(
        refund_totals.c.charge_id == charge_id
    )
    if (await connection.execute(query)).scalar_one_or_none() == charged.microcredits:
        raise PredictionRefunded(f"prediction {charge_id} was refunded in full")


async def _check_room(connection: AsyncConnection, new: NewRequest, open_max: int) -> None:
    open_request = await find_open_request(connection, new.charge_id)
    if open_request is not None:
        raise RequestOpen(open_request)
    query = select(func.count()).where(
        refund_requests.c.account_id == new.account_id, refund_requests.c.status == Status.OPEN
    )
    if (await connection.execute(query)).scalar_one() >= open_max:
        raise RequestsTooMany(f"the account has {open_max} open refund requests")
