"""Take messages out of the outbox, one transaction each; sending them happens in between.

Whoever claims a message has it until the lease ends. A worker that dies after sending and before
marking has the message sent again: at least once, under one id.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from billing.alerts.tables import alerts, deliveries
from billing.database import Database
from billing.outbox.values import Channel, Claimed, Status

_PRUNED_ROWS_MAX = 5_000
_ERROR_CHARACTERS_MAX = 300


async def claim_delivery(
    database: Database,
    channel: Channel,
    *,
    lease: timedelta,
    now: datetime,
    except_accounts: Collection[uuid.UUID] = (),
) -> Claimed | None:
    """The message that has been due longest, or None. Its attempt is counted at once."""
    due = (
        select(deliveries.c.id)
        .where(
            deliveries.c.status == Status.PENDING,
            deliveries.c.channel == channel,
            deliveries.c.next_attempt_at <= now,
            deliveries.c.account_id.not_in(except_accounts),
        )
        .order_by(deliveries.c.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claim = (
        update(deliveries)
        .where(deliveries.c.id == due)
        .values(attempts=deliveries.c.attempts + 1, next_attempt_at=now + lease)
        .returning(deliveries)
    )
    async with database.begin() as connection:
        row = (await connection.execute(claim)).one_or_none()
        if row is None:
            return None
        query = select(alerts.c.url, alerts.c.secret).where(alerts.c.id == row.alert_id)
        alert = (await connection.execute(query)).one_or_none()
    return Claimed(
        id=row.id,
        account_id=row.account_id,
        payload=row.payload,
        attempt=row.attempts,
        created_at=row.created_at,
        url=alert.url if alert else None,
        secret=alert.secret if alert else None,
    )


async def mark_delivered(database: Database, delivery_id: uuid.UUID, *, now: datetime) -> None:
    """It arrived, whoever else may be trying meanwhile."""
    await _update_pending(
        database,
        delivery_id,
        status=Status.DELIVERED,
        ended_at=now,
        last_error=None,
        payload=_without_text(),
    )


async def mark_failed(
    database: Database, delivery_id: uuid.UUID, error: str, *, now: datetime
) -> None:
    """It is given up."""
    await _update_pending(
        database,
        delivery_id,
        status=Status.FAILED,
        ended_at=now,
        last_error=error[:_ERROR_CHARACTERS_MAX],
        payload=_without_text(),
    )


async def put_off(database: Database, claimed: Claimed, error: str, *, until: datetime) -> None:
    """It is tried again later, unless another worker has claimed it since."""
    await _update_pending(
        database,
        claimed.id,
        deliveries.c.attempts == claimed.attempt,
        next_attempt_at=until,
        last_error=error[:_ERROR_CHARACTERS_MAX],
    )


async def _update_pending(
    database: Database, delivery_id: uuid.UUID, *conditions: ColumnElement[bool], **changes: object
) -> None:
    query = (
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.status == Status.PENDING, *conditions)
        .values(**changes)
    )
    async with database.begin() as connection:
        await connection.execute(query)


def _without_text() -> ColumnElement[Any]:
    """An e-mail's text holds a token: it is not kept once it has been sent or given up."""
    return func.jsonb_set(
        deliveries.c.payload, literal(["text"], ARRAY(Text)), literal("", JSONB), False, type_=JSONB
    )


async def prune_deliveries(database: Database, older_than: timedelta, *, now: datetime) -> bool:
    """Delete messages that ended so long ago; whether more may be waiting."""
    old = (
        select(deliveries.c.id)
        .where(deliveries.c.ended_at < now - older_than)
        .limit(_PRUNED_ROWS_MAX)
        .with_for_update(skip_locked=True)
    )
    query = delete(deliveries).where(deliveries.c.id.in_(old)).returning(deliveries.c.id)
    async with database.begin() as connection:
        return len((await connection.execute(query)).all()) == _PRUNED_ROWS_MAX
