"""Read an account's alerts."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, tuple_

from billing.alerts.errors import AlertMissing
from billing.alerts.tables import alerts
from billing.alerts.values import Alert
from billing.credits import Credits
from billing.database import Database


async def fetch_alert(database: Database, account_id: uuid.UUID, alert_id: uuid.UUID) -> Alert:
    """Raises AlertMissing, also where the alert is another account's."""
    query = select(alerts).where(alerts.c.account_id == account_id, alerts.c.id == alert_id)
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise AlertMissing(f"there is no alert {alert_id}")
    return read_alert(row)


async def fetch_alerts(
    database: Database,
    account_id: uuid.UUID,
    *,
    limit: int,
    after: tuple[datetime, uuid.UUID] | None = None,
) -> list[Alert]:
    """Newest first; `after` is the time and the id of the last one before."""
    query = (
        select(alerts)
        .where(alerts.c.account_id == account_id)
        .order_by(alerts.c.created_at.desc(), alerts.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(alerts.c.created_at, alerts.c.id) < tuple_(*after))
    async with database.begin() as connection:
        rows = (await connection.execute(query)).all()
    return [read_alert(row) for row in rows]


def read_alert(row: Row[Any]) -> Alert:
    """From a row of all columns of `alerts`."""
    return Alert(
        id=row.id,
        account_id=row.account_id,
        level=Credits(row.level_microcredits),
        url=row.url,
        secret=row.secret,
        is_below=row.is_below,
        checked_sequence=row.checked_sequence,
        created_at=row.created_at,
    )
