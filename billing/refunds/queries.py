"""Read the refunds of a prediction."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import Credits
from billing.database import Database
from billing.refunds.errors import PredictionMissing, RefundMissing
from billing.refunds.tables import refunds
from billing.refunds.values import Refund
from billing.tables import predictions

_REFUND = (
    refunds.c.id,
    refunds.c.account_id,
    refunds.c.charge_id,
    refunds.c.amount_microcredits,
    refunds.c.reason,
    refunds.c.created_at,
)


async def fetch_refunds(
    database: Database,
    account_id: uuid.UUID,
    charge_id: uuid.UUID,
    *,
    limit: int,
    before: tuple[datetime, uuid.UUID] | None = None,
) -> list[Refund]:
    """Newest first; `before` is the time and id of the last one seen. Raises PredictionMissing."""
    query = (
        select(*_REFUND)
        .where(refunds.c.account_id == account_id, refunds.c.charge_id == charge_id)
        .order_by(refunds.c.created_at.desc(), refunds.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(refunds.c.created_at, refunds.c.id) < before)
    owned = select(predictions.c.charge_id).where(
        predictions.c.account_id == account_id, predictions.c.charge_id == charge_id
    )
    async with database.begin() as connection:
        if (await connection.execute(owned)).one_or_none() is None:
            raise PredictionMissing(f"the account has no prediction {charge_id}")
        return [_refund(row) for row in await connection.execute(query)]


async def fetch_refund(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID, refund_id: uuid.UUID
) -> Refund:
    """Raises RefundMissing."""
    async with database.begin() as connection:
        refund = await find_refund(connection, refund_id)
    if refund is None or (refund.account_id, refund.charge_id) != (account_id, charge_id):
        raise RefundMissing(f"the prediction has no refund {refund_id}")
    return refund


async def find_refund(connection: AsyncConnection, refund_id: uuid.UUID) -> Refund | None:
    """Whoever it belongs to: for those who made the id."""
    found = await connection.execute(select(*_REFUND).where(refunds.c.id == refund_id))
    row = found.one_or_none()
    return None if row is None else _refund(row)


def _refund(row: Row[*tuple[Any, ...]]) -> Refund:
    return Refund(
        id=row.id,
        account_id=row.account_id,
        charge_id=row.charge_id,
        amount=Credits(row.amount_microcredits),
        reason=row.reason,
        created_at=row.created_at,
    )
