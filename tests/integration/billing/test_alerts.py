"""Alerts on a real ledger: one delivery for each crossing, whoever looks and how often."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime

import asyncpg
import pytest

from billing.alerts.actions import Created, NewAlert, create_alert, delete_alert
from billing.alerts.checking import Checked, check_alerts
from billing.alerts.errors import AlertMissing, AlertsTooMany
from billing.alerts.queries import fetch_alert, fetch_alerts
from billing.credits import Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.outbox.queries import fetch_deliveries
from billing.posting import Kind, post_entry
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def make_alert(
    database: Database,
    account_id: uuid.UUID,
    level: str = "10",
    *,
    alert_id: uuid.UUID | None = None,
    url: str = "https://example.com/hook",
    alerts_max: int = 20,
) -> Created:
    new = NewAlert(alert_id or uuid.uuid4(), account_id, Credits.parse(level), url, "whsec_test")
    return await create_alert(database, new, alerts_max=alerts_max, now=NOW)


async def adjust(database: Database, account_id: uuid.UUID, *amounts: str) -> None:
    for amount in amounts:
        async with database.begin() as connection:
            await post_entry(
                connection, account_id, Kind.ADJUSTMENT, Credits.parse(amount), reason="test"
            )


async def fetch_sequences(superuser: asyncpg.Connection) -> list[int]:
    rows = await superuser.fetch(
        "SELECT (payload #>> '{data,sequence}')::int AS sequence FROM deliveries ORDER BY 1"
    )
    return [row["sequence"] for row in rows]


async def test_each_fall_below_the_level_is_delivered_once(
    database: Database, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account_id = await make_account("100")
    alert = (await make_alert(database, account_id)).alert
    await adjust(database, account_id, "-91", "-1", "50", "-55", "-3", "90")

    assert await check_alerts(database, now=NOW) == Checked(None, is_behind=False)
    await check_alerts(database, now=NOW)

    assert await fetch_sequences(superuser) == [2, 5]
    listed = await fetch_deliveries(database, account_id, alert.id, limit=10)
    assert {delivery.event for delivery in listed} == {"balance.low"}
    alert = await fetch_alert(database, account_id, alert.id)
    assert (alert.is_below, alert.checked_sequence) == (False, 7)


async def test_entries_beyond_one_portion_are_left_for_the_next(
    database: Database, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account_id = await make_account("100")
    await make_alert(database, account_id)
    await adjust(database, account_id, "-95", "95", "-95", "95", "-95")
    while (await check_alerts(database, now=NOW, entries_max=2)).is_behind:
        pass
    assert await fetch_sequences(superuser) == [2, 4, 6]


async def test_alerts_beyond_one_portion_are_reached_by_the_cursor(
    database: Database, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account_id = await make_account("100")
    for level in ("10", "20", "30"):
        await make_alert(database, account_id, level)
    await adjust(database, account_id, "-99")
    first = await check_alerts(database, now=NOW, alerts_max=2)
    assert first.last_id is not None
    second = await check_alerts(database, now=NOW, alerts_max=2, after=first.last_id)
    assert second.last_id is None
    assert await fetch_sequences(superuser) == [2, 2, 2]


async def test_several_checkers_at_once_deliver_once(
    database: Database, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account_id = await make_account("100")
    for _ in range(5):
        await make_alert(database, account_id)

    async def spend() -> None:
        for _ in range(5):
            await adjust(database, account_id, "-95", "95")

    async def check() -> None:
        for _ in range(10):
            await check_alerts(database, now=NOW, entries_max=3)

    await asyncio.gather(spend(), check(), check(), check())
    while (await check_alerts(database, now=NOW)).is_behind:
        pass
    assert await fetch_sequences(superuser) == sorted([2, 4, 6, 8, 10] * 5)


async def test_a_new_alert_looks_forward_alone(
    database: Database, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account_id = await make_account("100")
    await adjust(database, account_id, "-95")
    alert = (await make_alert(database, account_id)).alert
    assert (alert.is_below, alert.checked_sequence) == (True, 2)
    await adjust(database, account_id, "-1", "50", "-50")
    await check_alerts(database, now=NOW)
    assert await fetch_sequences(superuser) == [5]


async def test_same_id_again_is_the_same_alert(
    database: Database, make_account: MakeAccount
) -> None:
    account_id, alert_id = await make_account("100"), uuid.uuid4()
    first = await make_alert(database, account_id, alert_id=alert_id)
    again = await make_alert(database, account_id, alert_id=alert_id)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.alert == first.alert
    with pytest.raises(IdempotencyConflict):
        await make_alert(database, account_id, "11", alert_id=alert_id)
    with pytest.raises(IdempotencyConflict):
        await make_alert(database, account_id, alert_id=alert_id, url="https://example.com/other")


async def test_bound_holds_for_alerts_made_at_once(
    database: Database, make_account: MakeAccount
) -> None:
    account_id = await make_account("100")
    made = await asyncio.gather(
        *(make_alert(database, account_id, alerts_max=3) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Created) for outcome in made) == 3
    assert sum(isinstance(outcome, AlertsTooMany) for outcome in made) == 5
    assert len(await fetch_alerts(database, account_id, limit=10)) == 3


async def test_deleting_gives_up_what_was_not_delivered(
    database: Database, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account_id, other_id = await make_account("100"), await make_account("100")
    alert = (await make_alert(database, account_id)).alert
    await adjust(database, account_id, "-95")
    await check_alerts(database, now=NOW)
    with pytest.raises(AlertMissing):
        await delete_alert(database, other_id, alert.id, now=NOW)
    await delete_alert(database, account_id, alert.id, now=NOW)
    with pytest.raises(AlertMissing):
        await delete_alert(database, account_id, alert.id, now=NOW)
    assert await superuser.fetchval("SELECT status FROM deliveries") == "failed"
