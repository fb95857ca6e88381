"""End requests inside a transaction that holds the balance of their account."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.actions import Actor, record
from billing.refund_requests.errors import RequestDecided
from billing.refund_requests.queries import find_open_request, find_request
from billing.refund_requests.tables import refund_requests
from billing.refund_requests.values import ACCOUNT_DELETED, Decision, RefundRequest, Status

_VERBS = {Status.ACCEPTED: "accept", Status.DECLINED: "decline"}


async def decide(
    connection: AsyncConnection, actor: Actor, request: RefundRequest, decision: Decision
) -> RefundRequest:
    """Close an open request, as it is then. Raises RequestDecided where another was first."""
    closed = await connection.execute(
        update(refund_requests)
        .where(refund_requests.c.id == request.id, refund_requests.c.status == Status.OPEN)
        .values(
            status=decision.status,
            decided_at=decision.at,
            decided_by=actor.id,
            decision_reason=decision.reason,
            refund_id=decision.refund_id,
        )
    )
    now = await find_request(connection, request.id)
    assert now is not None
    if closed.rowcount == 0:
        raise RequestDecided(now)
    details = {"prediction": str(request.charge_id), "reason": decision.reason}
    if decision.refund_id is not None:
        details["refund"] = str(decision.refund_id)
    await record(
        connection,
        actor,
        f"{_VERBS[decision.status]}_refund_request",
        account_id=request.account_id,
        target=str(request.id),
        details=details,
    )
    return now


async def accept_open_request(
    connection: AsyncConnection, actor: Actor, charge_id: uuid.UUID, decision: Decision
) -> None:
    """Close what is open for a prediction of which nothing is left to refund, if anything is."""
    request = await find_open_request(connection, charge_id)
    if request is not None:
        await decide(connection, actor, request, decision)


async def forget_requests(
    connection: AsyncConnection, account_id: uuid.UUID, now: datetime
) -> None:
    """Blank what the user wrote, and decline what nobody waits for any more."""
    of_account = refund_requests.c.account_id == account_id
    await connection.execute(update(refund_requests).where(of_account).values(reason=""))
    await connection.execute(
        update(refund_requests)
        .where(of_account, refund_requests.c.status == Status.OPEN)
        .values(status=Status.DECLINED, decided_at=now, decision_reason=ACCOUNT_DELETED)
    )
