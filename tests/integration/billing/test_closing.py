"""What comes to an account while it is closed, and after."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from billing.alerts.actions import NewAlert, create_alert
from billing.api_keys.actions import make_key
from billing.api_keys.values import NewKey
from billing.audit.actions import COMMAND_LINE
from billing.charges import InsufficientCredits
from billing.credits import Credits
from billing.database import Database
from billing.errors import AccountMissing, CreditsMissing
from billing.holds.actions import reserve
from billing.holds.values import Hold
from billing.ledger import PostgresLedger
from billing.refunds.actions import refund_prediction
from billing.refunds.values import NewRefund
from billing.settings import BillingSettings
from billing.top_ups.actions import apply_event, begin_top_up
from billing.top_ups.values import EventKind, PaymentEvent, Price, TopUp
from billing.users.closing import close_account
from billing.users.errors import ConfirmationNeeded
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def account_id(make_account: MakeAccount, superuser: asyncpg.Connection) -> uuid.UUID:
    """Of a user with 10 credits."""
    account_id = await make_account("10")
    for email, role, account in (
        ("anna@example.com", "user", account_id),
        ("admin@example.com", "admin", await make_account("0")),
    ):
        await superuser.execute(
            "INSERT INTO users (account_id, email, password_hash, role) VALUES ($1, $2, 'h', $3)",
            account,
            email,
            role,
        )
    return account_id


async def close(database: Database, account_id: uuid.UUID, forfeited: str = "10") -> None:
    await close_account(
        database, account_id, verified_hash="h", forfeited=Credits.parse(forfeited), now=NOW
    )


async def make_alert(database: Database, account_id: uuid.UUID) -> None:
    new = NewAlert(uuid.uuid4(), account_id, Credits(1), "https://example.com/hook", "whsec_test")
    await create_alert(database, new, alerts_max=20, now=NOW)


async def test_closed_account_gets_no_key(
    database: Database, settings: BillingSettings, account_id: uuid.UUID
) -> None:
    await close(database, account_id)
    with pytest.raises(AccountMissing):
        await make_key(
            database,
            settings.key_hash_secret,
            account_id,
            uuid.uuid4(),
            NewKey("late"),
            live_keys_max=20,
            now=NOW,
        )


async def test_closed_account_gets_no_alert(database: Database, account_id: uuid.UUID) -> None:
    await close(database, account_id)
    with pytest.raises(AccountMissing):
        await make_alert(database, account_id)


async def test_closed_account_spends_and_holds_nothing(
    database: Database, account_id: uuid.UUID
) -> None:
    await close(database, account_id)
    [outcome] = await PostgresLedger(database).charge([make_charge(account_id)])
    assert isinstance(outcome, InsufficientCredits)
    end = NOW + timedelta(hours=1)
    with pytest.raises(CreditsMissing):
        await reserve(database, Hold(uuid.uuid4(), account_id, Credits(1), "late", NOW, end))


async def test_closed_account_gets_no_refund(database: Database, account_id: uuid.UUID) -> None:
    charge = make_charge(account_id, "4")
    await PostgresLedger(database).charge([charge])
    await close(database, account_id, "6")
    request = NewRefund(uuid.uuid4(), charge.charge_id, None, "wrong answer")
    with pytest.raises(AccountMissing):
        await refund_prediction(database, COMMAND_LINE, request, now=NOW, grace=timedelta(days=30))


async def test_top_up_paid_after_closing_stays_on_the_books_until_it_is_charged_back(
    database: Database, superuser: asyncpg.Connection, account_id: uuid.UUID
) -> None:
    """The money came in: whoever gives it back does so at the provider, who tells us."""
    amount = Credits.parse("5")
    new = TopUp(uuid.uuid4(), account_id, "test", amount, Price(500, "usd"), NOW)
    await begin_top_up(database, new)
    await close(database, account_id)
    posted = []
    for kind in (EventKind.PAID, EventKind.PAID, EventKind.CHARGED_BACK):
        await apply_event(database, PaymentEvent("test", kind, kind, new.id), NOW)
        posted.append(
            await superuser.fetchval(
                "SELECT posted FROM balances WHERE account_id = $1", account_id
            )
        )
    assert posted == [amount.microcredits, amount.microcredits, 0]
    assert await superuser.fetchval("SELECT count(*) FROM debts") == 0


async def test_closing_queues_behind_an_alert_that_is_being_made(
    database: Database, superuser: asyncpg.Connection, account_id: uuid.UUID
) -> None:
    """Both take the balance before the account's row: none waits for the other in a ring."""
    async with superuser.transaction():
        await superuser.execute(
            "SELECT FROM balances WHERE account_id = $1 FOR NO KEY UPDATE", account_id
        )
        closing = asyncio.create_task(close(database, account_id))
        await asyncio.sleep(0.3)
        await superuser.execute(
            "INSERT INTO alerts (id, account_id, level_microcredits, url, secret, is_below,"
            " checked_sequence) VALUES ($1, $2, 1, 'https://example.com', 's', false, 1)",
            uuid.uuid4(),
            account_id,
        )
    await closing
    assert await superuser.fetchval("SELECT count(*) FROM alerts") == 0


async def test_charges_and_alerts_race_with_closing(
    database: Database, superuser: asyncpg.Connection, account_id: uuid.UUID
) -> None:
    """What was paid was paid before; nothing is left, and the entries come to just that."""
    ledger = PostgresLedger(database)

    async def close_when_known() -> None:
        while True:
            available = await superuser.fetchval(
                "SELECT posted - held FROM balances WHERE account_id = $1", account_id
            )
            try:
                return await close(database, account_id, str(Credits(available)))
            except ConfirmationNeeded:
                continue

    async def keep_charging() -> None:
        for _ in range(5):
            await ledger.charge([make_charge(account_id, "0.001")])

    async def keep_alerting() -> None:
        for _ in range(5):
            try:
                await make_alert(database, account_id)
            except AccountMissing:
                return

    await asyncio.gather(keep_charging(), keep_charging(), keep_alerting(), close_when_known())
    row = await superuser.fetchrow(
        "SELECT posted, (SELECT sum(amount_microcredits) FROM entries WHERE account_id = $1)"
        " AS total, (SELECT count(*) FROM alerts) AS alerts FROM balances WHERE account_id = $1",
        account_id,
    )
    assert tuple(row) == (0, 0, 0)
