"""Read requests for refunds."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import Credits
from billing.database import Database
from billing.refund_requests.errors import RequestMissing
from billing.refund_requests.tables import refund_requests
from billing.refund_requests.values import RefundRequest, Status
from billing.refunds.tables import refunds

Position = tuple[datetime, uuid.UUID]
"""Where a list goes on: time and id of the last item seen."""

_REQUESTS = select(
    refund_requests.c.id,
    refund_requests.c.account_id,
    refund_requests.c.charge_id,
    refund_requests.c.reason,
    refund_requests.c.status,
    refund_requests.c.created_at,
    refund_requests.c.decided_at,
    refund_requests.c.decision_reason,
    refund_requests.c.refund_id,
    refunds.c.amount_microcredits,
).join_from(refund_requests, refunds, refunds.c.id == refund_requests.c.refund_id, isouter=True)


async def fetch_requests(
    database: Database,
    *,
    account_id: uuid.UUID | None,
    status: Status | None = None,
    after: Position | None,
    limit: int,
) -> list[RefundRequest]:
    """Newest first; of one account, or of all."""
    created_at, id_ = refund_requests.c.created_at, refund_requests.c.id
    query = _REQUESTS.order_by(created_at.desc(), id_.desc()).limit(limit)
    if account_id is not None:
        query = query.where(refund_requests.c.account_id == account_id)
    if status is not None:
        query = query.where(refund_requests.c.status == status)
    if after is not None:
        query = query.where(tuple_(created_at, id_) < after)
    async with database.begin() as connection:
        return [_request(row) for row in await connection.execute(query)]


async def fetch_request(
    database: Database, request_id: uuid.UUID, account_id: uuid.UUID | None = None
) -> RefundRequest:
    """Of the account where one is given. Raises RequestMissing."""
    async with database.begin() as connection:
        request = await find_request(connection, request_id)
    if request is None or account_id not in (None, request.account_id):
        raise RequestMissing(f"there is no refund request {request_id}")
    return request


async def find_request(connection: AsyncConnection, request_id: uuid.UUID) -> RefundRequest | None:
    """Whoever it belongs to."""
    return await _find(connection, _REQUESTS.where(refund_requests.c.id == request_id))


async def find_open_request(
    connection: AsyncConnection, charge_id: uuid.UUID
) -> RefundRequest | None:
    """The one of that prediction that waits for a decision."""
    query = _REQUESTS.where(
        refund_requests.c.charge_id == charge_id, refund_requests.c.status == Status.OPEN
    )
    return await _find(connection, query)


async def _find(connection: AsyncConnection, query: Select[Any]) -> RefundRequest | None:
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _request(row)


def _request(row: Row[*tuple[Any, ...]]) -> RefundRequest:
    microcredits = row.amount_microcredits
    return RefundRequest(
        id=row.id,
        account_id=row.account_id,
        charge_id=row.charge_id,
        reason=row.reason,
        created_at=row.created_at,
        status=Status(row.status),
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        refund_id=row.refund_id,
        refunded=None if microcredits is None else Credits(microcredits),
    )
