"""Read holds."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, tuple_

from billing.credits import Credits
from billing.database import Database
from billing.holds.tables import holds
from billing.holds.values import Hold, Status

Position = tuple[datetime, uuid.UUID]
"""Where a list goes on: time and id of the last item seen."""


async def fetch_hold(database: Database, account_id: uuid.UUID, hold_id: uuid.UUID) -> Hold | None:
    """The account's hold of that id."""
    query = select(holds).where(holds.c.id == hold_id, holds.c.account_id == account_id)
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else make_hold(row)


async def fetch_holds(
    database: Database,
    account_id: uuid.UUID,
    *,
    status: Status | None = None,
    after: Position | None,
    limit: int,
) -> list[Hold]:
    """The account's holds, newest first."""
    query = (
        select(holds)
        .where(holds.c.account_id == account_id)
        .order_by(holds.c.created_at.desc(), holds.c.id.desc())
        .limit(limit)
    )
    if status is not None:
        query = query.where(holds.c.status == status)
    if after is not None:
        query = query.where(tuple_(holds.c.created_at, holds.c.id) < after)
    async with database.begin() as connection:
        rows = await connection.execute(query)
    return [make_hold(row) for row in rows]


def make_hold(row: Row[Any]) -> Hold:
    """From a row of `holds`."""
    return Hold(
        id=row.id,
        account_id=row.account_id,
        amount=Credits(row.amount_microcredits),
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
        status=Status(row.status),
        captured=Credits(row.captured_microcredits),
        resolved_at=row.resolved_at,
    )
