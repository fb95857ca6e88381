"""Walk alerts along the new entries of their accounts and write down every crossing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.alerts.queries import read_alert
from billing.alerts.tables import alerts, deliveries
from billing.alerts.values import (
    BALANCE_LOW,
    Alert,
    Step,
    Walk,
    describe_crossing,
    find_crossings,
    make_delivery_id,
)
from billing.credits import Credits
from billing.database import Database
from billing.tables import balances, entries

ALERTS_MAX = 100
ENTRIES_MAX = 5_000
"""Of one transaction: alerts, and entries for each of them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How far a check came."""

    last_id: uuid.UUID | None
    """Go on after this alert; None at the end of the list."""
    is_behind: bool
    """Whether an alert has entries left that were more than one check takes."""


async def check_alerts(
    database: Database,
    *,
    after: uuid.UUID | None = None,
    now: datetime,
    alerts_max: int = ALERTS_MAX,
    entries_max: int = ENTRIES_MAX,
) -> Checked:
    """Check alerts whose accounts have newer entries, in the order of their ids.

    Any number of these may run beside each other: who comes second to an alert skips it.
    """
    query = (
        select(alerts)
        .join(balances, balances.c.account_id == alerts.c.account_id)
        .where(balances.c.sequence > alerts.c.checked_sequence)
        .order_by(alerts.c.id)
        .limit(alerts_max)
        .with_for_update(of=alerts, skip_locked=True)
    )
    if after is not None:
        query = query.where(alerts.c.id > after)
    async with database.begin() as connection:
        due = [read_alert(row) for row in (await connection.execute(query)).all()]
        walked = [await _walk(connection, alert, now, entries_max) for alert in due]
    return Checked(
        last_id=due[-1].id if len(due) == alerts_max else None,
        is_behind=entries_max in walked,
    )


async def _walk(connection: AsyncConnection, alert: Alert, now: datetime, entries_max: int) -> int:
    """How many entries the alert was walked along."""
    query = (
        select(entries.c.sequence, entries.c.balance_microcredits)
        .where(
            entries.c.account_id == alert.account_id,
            entries.c.sequence > alert.checked_sequence,
        )
        .order_by(entries.c.sequence)
        .limit(entries_max)
    )
    steps = [
        Step(row.sequence, Credits(row.balance_microcredits))
        for row in (await connection.execute(query)).all()
    ]
    walk = find_crossings(alert.level, alert.is_below, alert.checked_sequence, steps)
    await _write_down(connection, alert, walk, now)
    return len(steps)


async def _write_down(connection: AsyncConnection, alert: Alert, walk: Walk, now: datetime) -> None:
    await connection.execute(
        update(alerts)
        .where(alerts.c.id == alert.id)
        .values(is_below=walk.is_below, checked_sequence=walk.checked_sequence)
    )
    if not walk.crossings:
        return
    await connection.execute(
        insert(deliveries),
        [
            {
                "id": make_delivery_id(alert.id, crossing.sequence),
                "account_id": alert.account_id,
                "alert_id": alert.id,
                "channel": "webhook",
                "event": BALANCE_LOW,
                "payload": describe_crossing(alert, crossing, now),
                "next_attempt_at": now,
                "created_at": now,
            }
            for crossing in walk.crossings
        ],
    )
