"""Mail in the outbox: its text is not kept once it has been sent or given up."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import asyncpg
import orjson
import pytest
from sqlalchemy import insert

from billing.alerts.tables import deliveries
from billing.outbox.values import Channel, Claimed, Patience
from serve.accounts.outbox.delivering import Deliverer
from serve.accounts.outbox.sending import NotSent, Send
from tests.support.accounts import AccountsApp

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def take(claimed: Claimed, now: datetime) -> None:
    assert claimed.payload["text"] == "a token"


async def refuse(claimed: Claimed, now: datetime) -> None:
    raise NotSent("no", is_final=True)


async def put_off(claimed: Claimed, now: datetime) -> None:
    raise NotSent("later")


@pytest.mark.parametrize(
    ("send", "status", "text"),
    [(take, "delivered", ""), (refuse, "failed", ""), (put_off, "pending", "a token")],
)
async def test_text_is_blanked_at_the_end(
    app: AccountsApp, superuser: asyncpg.Connection, send: Send, status: str, text: str
) -> None:
    database = app.services.database
    async with database.begin() as connection:
        await connection.execute(
            insert(deliveries).values(
                id=uuid.uuid4(),
                account_id=uuid.uuid4(),
                channel="email",
                event="verify_email",
                payload={"to": "anna@example.com", "subject": "Hello", "text": "a token"},
                next_attempt_at=app.clock(),
            )
        )
    deliverer = Deliverer(
        database,
        Channel.EMAIL,
        send,
        patience=Patience(3, timedelta(hours=1), timedelta(seconds=10), timedelta(minutes=5)),
        lease=timedelta(minutes=2),
        account_share=2,
        now=app.clock,
    )
    assert await deliverer.deliver_one()
    row = await superuser.fetchrow("SELECT status, payload FROM deliveries")
    payload = orjson.loads(row["payload"])
    assert (row["status"], payload["text"], payload["to"]) == (status, text, "anna@example.com")
