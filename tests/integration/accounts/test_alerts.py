"""Alerts over HTTP."""

from __future__ import annotations

import uuid

import pytest

from billing.alerts.checking import check_alerts
from billing.credits import Credits
from billing.posting import Kind, post_entry
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ALERT = {"level": "10", "url": "https://example.com/hook"}


async def test_secret_is_shown_once(anna: Person) -> None:
    made = await anna.client.post("/v1/alerts", json=ALERT)
    assert made.status_code == 201
    alert = made.json()
    assert made.headers["location"] == f"/accounts/v1/alerts/{alert['id']}"
    assert alert.pop("secret").startswith("whsec_")
    assert (alert["level"], alert["url"], alert["is_below"]) == ("10", ALERT["url"], False)

    read = await anna.client.get(f"/v1/alerts/{alert['id']}")
    listed = await anna.client.get("/v1/alerts")
    assert read.json() == alert
    assert listed.json() == {"items": [alert], "next_cursor": None}


async def test_same_key_twice_makes_one_alert(anna: Person) -> None:
    headers = {"Idempotency-Key": "one"}
    first = await anna.client.post("/v1/alerts", json=ALERT, headers=headers)
    again = await anna.client.post("/v1/alerts", json=ALERT, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = await anna.client.post("/v1/alerts", json=ALERT | {"level": "11"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/",
        "example.com/hook",
        "https://",
        "https://anna:secret@example.com/",
        "https://@example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/#part",
        "https://example.com/\r\nHost: other",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/" + "a" * 2_000,
        "",
    ],
)
async def test_url_that_is_not_taken_is_pointed_at(anna: Person, url: str) -> None:
    refused = await anna.client.post("/v1/alerts", json=ALERT | {"url": url})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/url"]


@pytest.mark.parametrize("url", ["https://example.com:8443/a?b=c", "HTTPS://Bücher.example/"])
async def test_url_with_a_port_or_of_any_script_is_taken(anna: Person, url: str) -> None:
    made = await anna.client.post("/v1/alerts", json=ALERT | {"url": url})
    assert made.status_code == 201


@pytest.mark.parametrize("level", ["0", "-1", "abc", 10, "0.0000001"])
async def test_level_is_an_amount_above_zero(anna: Person, level: object) -> None:
    refused = await anna.client.post("/v1/alerts", json=ALERT | {"level": level})
    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/level"]


async def test_list_is_read_in_pages_while_alerts_are_made(app: AccountsApp, anna: Person) -> None:
    ids = []
    for _ in range(5):
        app.clock.forward(seconds=1)
        ids.append((await anna.client.post("/v1/alerts", json=ALERT)).json()["id"])
    first = (await anna.client.get("/v1/alerts", params={"limit": 2})).json()
    app.clock.forward(seconds=1)
    await anna.client.post("/v1/alerts", json=ALERT)
    seen, cursor = [item["id"] for item in first["items"]], first["next_cursor"]
    while cursor:
        page = await anna.client.get("/v1/alerts", params={"limit": 2, "cursor": cursor})
        seen += [item["id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert seen == ids[::-1]


async def test_number_of_alerts_is_bounded(app: AccountsApp, anna: Person, boris: Person) -> None:
    for _ in range(app.services.settings.alerts_per_account_max):
        assert (await anna.client.post("/v1/alerts", json=ALERT)).status_code == 201
    refused = await anna.client.post("/v1/alerts", json=ALERT)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_alerts")
    assert (await boris.client.post("/v1/alerts", json=ALERT)).status_code == 201


async def test_deleted_alert_is_gone(anna: Person) -> None:
    path = f"/v1/alerts/{(await anna.client.post('/v1/alerts', json=ALERT)).json()['id']}"
    assert (await anna.client.delete(path)).status_code == 204
    assert (await anna.client.get(path)).status_code == 404
    assert (await anna.client.delete(path)).status_code == 404


async def test_alert_of_another_account_is_no_alert(anna: Person, boris: Person) -> None:
    path = f"/v1/alerts/{(await anna.client.post('/v1/alerts', json=ALERT)).json()['id']}"
    unknown = await boris.client.get(f"/v1/alerts/{uuid.uuid4()}")
    for answer in (
        await boris.client.get(path),
        await boris.client.get(f"{path}/deliveries"),
        await boris.client.delete(path),
    ):
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert (await boris.client.get("/v1/alerts")).json()["items"] == []
    assert (await anna.client.get(path)).status_code == 200


async def test_api_key_does_not_make_alerts(app: AccountsApp, anna: Person) -> None:
    async with app.client(anna.api_key) as client:
        assert (await client.post("/v1/alerts", json=ALERT)).status_code == 403


async def test_deliveries_of_an_alert_are_listed(app: AccountsApp, anna: Person) -> None:
    path = f"/v1/alerts/{(await anna.client.post('/v1/alerts', json=ALERT)).json()['id']}"
    assert (await anna.client.get(f"{path}/deliveries")).json()["items"] == []
    async with app.services.database.begin() as connection:
        await post_entry(connection, anna.account_id, Kind.ADJUSTMENT, Credits.parse("-95"))
    await check_alerts(app.services.database, now=app.clock())

    [delivery] = (await anna.client.get(f"{path}/deliveries")).json()["items"]
    assert (delivery["type"], delivery["status"], delivery["attempts"]) == (
        "balance.low",
        "pending",
        0,
    )
    bad = await anna.client.get(f"{path}/deliveries", params={"cursor": "WzFd"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "query/cursor")
