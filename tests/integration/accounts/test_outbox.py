"""From a charge to a receiver: claimed, sent, tried again, given up, pruned."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from billing.alerts.actions import NewAlert, create_alert
from billing.credits import Credits
from billing.outbox.actions import claim_delivery, mark_delivered, prune_deliveries, put_off
from billing.outbox.values import Channel, Claimed, Patience
from billing.posting import Kind, post_entry
from serve.accounts.outbox.chores import AlertChecker, make_alert_chores, make_webhook_deliverer
from serve.accounts.outbox.delivering import Deliverer
from serve.accounts.outbox.sending import NotSent
from serve.accounts.services import Services
from serve.accounts.settings import AccountsSettings
from tests.support.accounts import AccountsApp, Person
from tests.support.local_server import LocalServer, local_server

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LEASE = timedelta(seconds=30)
PATIENCE = Patience(3, timedelta(hours=1), timedelta(seconds=10), timedelta(minutes=5))


@pytest.fixture
def services(app: AccountsApp) -> Services:
    """As the application's, but that loopback may be reached."""
    settings = AccountsSettings(
        webhook_allow_http=True, webhook_allow_private=True, delivery_attempts_max=3
    )
    return replace(app.services, settings=settings)


class Sender:
    """Raises what it is told to, or takes the message; sees what is under way at once."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.sent: list[Claimed] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, claimed: Claimed, now: datetime) -> None:
        self.sent.append(claimed)
        await self.open.wait()
        if self.faults:
            raise self.faults.pop(0)


def make_deliverer(app: AccountsApp, sender: Sender, account_share: int = 8) -> Deliverer:
    return Deliverer(
        app.services.database,
        Channel.WEBHOOK,
        sender.send,
        patience=PATIENCE,
        lease=LEASE,
        account_share=account_share,
        now=app.clock,
    )


async def spend(app: AccountsApp, person: Person, *amounts: str) -> None:
    for amount in amounts:
        async with app.services.database.begin() as connection:
            await post_entry(
                connection, person.account_id, Kind.ADJUSTMENT, Credits.parse(amount), reason="test"
            )


async def cross(app: AccountsApp, person: Person, url: str = "https://example.com/") -> str:
    """Make an alert and one crossing of it; the alert's path."""
    new = NewAlert(uuid.uuid4(), person.account_id, Credits.parse("10"), url, "whsec_test")
    await create_alert(app.services.database, new, alerts_max=100, now=app.clock())
    await spend(app, person, "-95", "95")
    await AlertChecker(app.services.database, app.clock).run()
    return f"/v1/alerts/{new.id}"


async def list_deliveries(person: Person, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.client.get(f"{path}/deliveries")).json()["items"]
    return items


def delivery_ids(receiver: LocalServer) -> list[str]:
    return [asked.headers["farebox-delivery"] for asked in receiver.asked]


async def test_each_crossing_is_received_once(
    app: AccountsApp, anna: Person, services: Services
) -> None:
    with local_server(lambda _: (200, {})) as receiver:
        path = await cross(app, anna, receiver.url)
        await spend(app, anna, "-91", "-1", "50", "-50")
        chores = {chore.name: chore for chore in make_alert_chores(services)}
        await chores["alerts"].run()
        while await chores["webhooks_0"].run():
            pass
    listed = await list_deliveries(anna, path)
    assert [item["status"] for item in listed] == ["delivered"] * 3
    assert sorted(delivery_ids(receiver)) == sorted(item["id"] for item in listed)
    balances = sorted(asked.json["data"]["balance"] for asked in receiver.asked)
    assert balances == ["5", "8", "9"]
    assert [asked.json["id"] for asked in receiver.asked] == delivery_ids(receiver)


async def test_failure_is_tried_again_later_under_the_same_id(
    app: AccountsApp, anna: Person, services: Services
) -> None:
    answers = [500, 204]
    with local_server(lambda _: (answers.pop(0), "")) as receiver:
        path = await cross(app, anna, receiver.url)
        deliverer = make_webhook_deliverer(services)
        assert await deliverer.deliver_one()
        [waiting] = await list_deliveries(anna, path)
        assert not await deliverer.deliver_one()
        app.clock.forward(seconds=10)
        assert await deliverer.deliver_one()
    [delivered] = await list_deliveries(anna, path)
    assert (waiting["status"], waiting["attempts"]) == ("pending", 1)
    assert waiting["last_error"] == "The receiver answered 500."
    assert waiting["next_attempt_at"] is not None
    assert (delivered["status"], delivered["attempts"]) == ("delivered", 2)
    assert (delivered["last_error"], delivered["next_attempt_at"]) == (None, None)
    assert len(set(delivery_ids(receiver))) == 1


async def test_gives_up_after_the_bound(app: AccountsApp, anna: Person, services: Services) -> None:
    with local_server(lambda _: (500, "")) as receiver:
        path = await cross(app, anna, receiver.url)
        deliverer = make_webhook_deliverer(services)
        for _ in range(10):
            await deliverer.deliver_one()
            app.clock.forward(hours=1)
    [failed] = await list_deliveries(anna, path)
    assert (failed["status"], failed["attempts"]) == ("failed", 3)
    assert len(receiver.asked) == 3


async def test_loopback_is_refused_by_default(app: AccountsApp, anna: Person) -> None:
    with local_server(lambda _: (200, {})) as inside:
        path = await cross(app, anna, inside.url.replace("http:", "https:"))
        await make_webhook_deliverer(app.services).deliver_one()
    [refused] = await list_deliveries(anna, path)
    assert refused["last_error"] == "The URL's host does not stand for public addresses alone."
    assert inside.asked == []


async def test_crash_after_sending_sends_again_under_the_same_id(
    app: AccountsApp, anna: Person
) -> None:
    path = await cross(app, anna)
    first = await claim_delivery(
        app.services.database, Channel.WEBHOOK, lease=LEASE, now=app.clock()
    )
    sender = Sender()
    deliverer = make_deliverer(app, sender)
    assert first is not None
    assert not await deliverer.deliver_one()
    app.clock.forward(seconds=31)
    assert await deliverer.deliver_one()
    assert [claimed.id for claimed in sender.sent] == [first.id]
    [delivered] = await list_deliveries(anna, path)
    assert (delivered["status"], delivered["attempts"]) == ("delivered", 2)


async def test_attempts_that_were_all_cut_off_end(app: AccountsApp, anna: Person) -> None:
    path = await cross(app, anna)
    for _ in range(PATIENCE.attempts_max):
        await claim_delivery(app.services.database, Channel.WEBHOOK, lease=LEASE, now=app.clock())
        app.clock.forward(seconds=31)
    sender = Sender()
    assert await make_deliverer(app, sender).deliver_one()
    assert sender.sent == []
    assert [item["status"] for item in await list_deliveries(anna, path)] == ["failed"]


async def test_late_worker_does_not_undo_what_another_did(app: AccountsApp, anna: Person) -> None:
    path, database = await cross(app, anna), app.services.database
    late = await claim_delivery(database, Channel.WEBHOOK, lease=LEASE, now=app.clock())
    app.clock.forward(seconds=31)
    second = await claim_delivery(database, Channel.WEBHOOK, lease=LEASE, now=app.clock())
    assert late is not None
    assert second is not None
    await put_off(database, late, "late", until=app.clock() - timedelta(days=1))
    [item] = await list_deliveries(anna, path)
    assert item["last_error"] is None
    await mark_delivered(database, second.id, now=app.clock())
    await put_off(database, second, "late", until=app.clock())
    assert [item["status"] for item in await list_deliveries(anna, path)] == ["delivered"]


async def test_several_workers_send_each_message_once(app: AccountsApp, anna: Person) -> None:
    for _ in range(6):
        await cross(app, anna)
    sender = Sender()
    workers = [make_deliverer(app, sender) for _ in range(3)]

    async def work(deliverer: Deliverer) -> None:
        while await deliverer.deliver_one():
            pass

    await asyncio.gather(*(work(deliverer) for deliverer in workers for _ in range(2)))
    ids = [claimed.id for claimed in sender.sent]
    # Six alerts; an older alert saw the crossings of the younger ones too.
    assert len(ids) == len(set(ids)) == 6 + 5 + 4 + 3 + 2 + 1


async def test_one_account_has_a_share_of_the_senders(
    app: AccountsApp, anna: Person, boris: Person
) -> None:
    for person in (anna, anna, anna, boris):
        await cross(app, person)
    sender = Sender()
    sender.open.clear()
    deliverer = make_deliverer(app, sender, account_share=2)
    async with asyncio.TaskGroup() as workers:
        for _ in range(5):
            workers.create_task(deliverer.deliver_one())
        async with asyncio.timeout(10):
            while len(sender.sent) < 3:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        under_way = [claimed.account_id for claimed in sender.sent]
        sender.open.set()
    assert sorted(under_way, key=str) == sorted(
        [anna.account_id, anna.account_id, boris.account_id], key=str
    )
    assert await deliverer.deliver_one()


async def test_final_failure_is_not_tried_again(app: AccountsApp, anna: Person) -> None:
    path = await cross(app, anna)
    deliverer = make_deliverer(app, Sender(NotSent("no use", is_final=True)))
    assert await deliverer.deliver_one()
    app.clock.forward(hours=1)
    assert not await deliverer.deliver_one()
    [failed] = await list_deliveries(anna, path)
    assert (failed["status"], failed["last_error"]) == ("failed", "no use")


async def test_deliveries_that_ended_long_ago_are_pruned(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    await cross(app, anna)
    await make_deliverer(app, Sender()).deliver_one()
    app.clock.forward(days=2)
    await cross(app, anna)
    database, days = app.services.database, timedelta(days=1)
    assert not await prune_deliveries(database, days, now=app.clock())
    statuses = await superuser.fetch("SELECT status FROM deliveries")
    assert {row["status"] for row in statuses} == {"pending"}


async def test_checker_goes_round_all_alerts(app: AccountsApp, anna: Person) -> None:
    paths = []
    for _ in range(3):
        made = await anna.client.post(
            "/v1/alerts", json={"level": "10", "url": "https://example.com/"}
        )
        paths.append(f"/v1/alerts/{made.json()['id']}")
    checker = AlertChecker(app.services.database, app.clock, alerts_max=2)
    for _ in range(2):
        await spend(app, anna, "-95", "95")
        while await checker.run():
            pass
    assert [len(await list_deliveries(anna, path)) for path in paths] == [2, 2, 2]
