"""Read what became of an alert's deliveries."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, tuple_

from billing.alerts.tables import deliveries
from billing.database import Database
from billing.outbox.values import Delivery, Status


async def fetch_deliveries(
    database: Database,
    account_id: uuid.UUID,
    alert_id: uuid.UUID,
    *,
    limit: int,
    after: tuple[datetime, uuid.UUID] | None = None,
) -> list[Delivery]:
    """Newest first; `after` is the time and the id of the last one before."""
    query = (
        select(deliveries)
        .where(deliveries.c.account_id == account_id, deliveries.c.alert_id == alert_id)
        .order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(deliveries.c.created_at, deliveries.c.id) < tuple_(*after))
    async with database.begin() as connection:
        rows = (await connection.execute(query)).all()
    return [_read_delivery(row) for row in rows]


def _read_delivery(row: Row[Any]) -> Delivery:
    status = Status(row.status)
    return Delivery(
        id=row.id,
        event=row.event,
        status=status,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at if status is Status.PENDING else None,
        last_error=row.last_error,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
