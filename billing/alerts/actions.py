"""Make and end alerts. Each is one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.alerts.errors import AlertMissing, AlertsTooMany
from billing.alerts.queries import read_alert
from billing.alerts.tables import alerts, deliveries
from billing.alerts.values import Alert, is_below
from billing.credits import Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.posting import lock_open_account

_ALERT_DELETED = "The alert was deleted."


@dataclass(frozen=True, slots=True)
class NewAlert:
    """What an account asks for."""

    id: uuid.UUID
    account_id: uuid.UUID
    level: Credits
    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Created:
    """The alert; `replayed` where an earlier, equal call made it."""

    alert: Alert
    replayed: bool


async def create_alert(
    database: Database, new: NewAlert, *, alerts_max: int, now: datetime
) -> Created:
    """Watch the balance from the account's present entry on.

    Raises AccountMissing, also for a closed account, AlertsTooMany, and IdempotencyConflict where
    the id is that of an alert with another level or URL.
    """
    async with database.begin() as connection:
        balance = await lock_open_account(connection, new.account_id)
        earlier = await _find_earlier(connection, new)
        if earlier is not None:
            return Created(earlier, replayed=True)
        await _check_room(connection, new.account_id, alerts_max)
        alert = Alert(
            id=new.id,
            account_id=new.account_id,
            level=new.level,
            url=new.url,
            secret=new.secret,
            is_below=is_below(new.level, balance.balance),
            checked_sequence=balance.sequence,
            created_at=now,
        )
        await connection.execute(
            insert(alerts).values(
                id=alert.id,
                account_id=alert.account_id,
                level_microcredits=alert.level.microcredits,
                url=alert.url,
                secret=alert.secret,
                is_below=alert.is_below,
                checked_sequence=alert.checked_sequence,
                created_at=alert.created_at,
            )
        )
    return Created(alert, replayed=False)


async def _find_earlier(connection: AsyncConnection, new: NewAlert) -> Alert | None:
    query = select(alerts).where(alerts.c.id == new.id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    earlier = read_alert(row)
    wanted = (new.account_id, new.level, new.url)
    if (earlier.account_id, earlier.level, earlier.url) != wanted:
        raise IdempotencyConflict(f"alert {new.id} is another one")
    return earlier


async def _check_room(connection: AsyncConnection, account_id: uuid.UUID, alerts_max: int) -> None:
    """Exact, because whoever makes an alert holds the account's balance locked."""
    query = select(func.count()).select_from(alerts).where(alerts.c.account_id == account_id)
    if (await connection.execute(query)).scalar_one() >= alerts_max:
        raise AlertsTooMany(f"the account has {alerts_max} alerts already")


async def delete_alert(
    database: Database, account_id: uuid.UUID, alert_id: uuid.UUID, *, now: datetime
) -> None:
    """What is still to be delivered for it is given up. Raises AlertMissing."""
    async with database.begin() as connection:
        deleted = await connection.execute(
            delete(alerts)
            .where(alerts.c.account_id == account_id, alerts.c.id == alert_id)
            .returning(alerts.c.id)
        )
        if deleted.one_or_none() is None:
            raise AlertMissing(f"there is no alert {alert_id}")
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.alert_id == alert_id, deliveries.c.status == "pending")
            .values(status="failed", last_error=_ALERT_DELETED, ended_at=now)
        )
