"""Buying credits over HTTP, with the test provider and with Stripe's adapter."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest

from billing.reconcile import reconcile
from billing.top_ups.values import EventKind, Price
from serve.accounts.api import build_accounts_api
from serve.accounts.settings import AccountsSettings
from serve.accounts.top_ups.providers import make_provider
from tests.support.accounts import AccountsApp, Person
from tests.support.payments import StripePayments, TestPayments

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def app(app: AccountsApp) -> AsyncIterator[AccountsApp]:
    """It sells credits by the test provider, whose webhooks reach it without a network."""
    settings = AccountsSettings(payment_provider="test")
    secret = app.services.billing.key_hash_secret
    services = replace(app.services, settings=settings, payments=make_provider(settings, secret))
    transport = httpx.ASGITransport(build_accounts_api(services), root_path="/accounts")
    app.services = replace(services, payments=make_provider(settings, secret, transport))
    yield app
    report = await reconcile(app.services.database)
    assert report.breaches == ()


async def buy(person: Person, amount: str = "10") -> dict[str, str]:
    answer = await person.client.post("/v1/topups", json={"credits": amount})
    assert answer.status_code == 201
    top_up: dict[str, str] = answer.json()
    return top_up


def page_of(top_up: dict[str, str]) -> str:
    return urlsplit(top_up["checkout_url"]).path.removeprefix("/accounts")


async def available(person: Person) -> str:
    return str((await person.client.get("/v1/balance")).json()["available"])


async def test_from_the_order_over_the_page_to_the_credits(app: AccountsApp, anna: Person) -> None:
    answer = await anna.client.post("/v1/topups", json={"credits": "12.5"})
    top_up = answer.json()
    assert answer.headers["location"] == f"/accounts/v1/topups/{top_up['id']}"
    assert (top_up["status"], top_up["credits"]) == ("pending", "12.5")
    assert (top_up["price_minor_units"], top_up["currency"]) == (13, "usd")
    async with app.client() as browser:
        page = await browser.get(page_of(top_up))
        assert page.headers["content-type"].startswith("text/html")
        assert "12.5 credits" in page.text
        paid = await browser.post(page_of(top_up), data={"outcome": "paid"})
        assert "Paid" in paid.text
    assert await available(anna) == "112.5"
    shown = (await anna.client.get(f"/v1/topups/{top_up['id']}")).json()
    assert shown["status"] == "paid"
    assert shown["paid_at"] is not None


async def test_what_is_declined_brings_nothing_and_can_still_be_paid(
    app: AccountsApp, anna: Person
) -> None:
    top_up = await buy(anna)
    async with app.client() as browser:
        for outcome, credits_after in [
            ("declined", "100"),
            ("paid", "110"),
            ("paid", "110"),
            ("declined", "110"),
        ]:
            answer = await browser.post(page_of(top_up), data={"outcome": outcome})
            assert answer.status_code == 200
            assert await available(anna) == credits_after
        assert (await browser.post(page_of(top_up), data={"outcome": "?"})).status_code == 422
        assert (await browser.get("/test-payments/tp_0")).status_code == 404


async def test_the_same_key_again_is_the_same_top_up(anna: Person) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await anna.client.post("/v1/topups", json={"credits": "10"}, headers=headers)
    again = await anna.client.post("/v1/topups", json={"credits": "10.0"}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = await anna.client.post("/v1/topups", json={"credits": "11"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")


@pytest.mark.parametrize("amount", ["0", "-1", "0.5", "100000.000001", "ten", 10])
async def test_amounts_out_of_bounds_are_refused(anna: Person, amount: object) -> None:
    refused = await anna.client.post("/v1/topups", json={"credits": amount})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


async def test_top_ups_are_listed_newest_first_and_to_their_owner(
    app: AccountsApp, anna: Person, boris: Person
) -> None:
    ids = []
    for _ in range(3):
        app.clock.forward(seconds=1)
        ids.append((await buy(anna))["id"])
    first = (await anna.client.get("/v1/topups", params={"limit": 2})).json()
    rest = (
        await anna.client.get("/v1/topups", params={"limit": 2, "cursor": first["next_cursor"]})
    ).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert (await anna.client.get("/v1/topups", params={"cursor": "WzFd"})).status_code == 422
    assert (await boris.client.get("/v1/topups")).json()["items"] == []
    hidden = await boris.client.get(f"/v1/topups/{ids[0]}")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")


async def test_a_bad_or_old_signature_does_nothing(app: AccountsApp, anna: Person) -> None:
    top_up_id = uuid.UUID((await buy(anna))["id"])
    payments = TestPayments()
    paid = Price(10, "usd")
    async with app.client() as provider:
        headers, body = payments.webhook(top_up_id, EventKind.PAID, app.clock(), money=paid)
        app.clock.forward(seconds=301)
        old = await provider.post("/v1/webhooks/test", content=body, headers=headers)
        bare = await provider.post("/v1/webhooks/test", content=body)
        large = await provider.post("/v1/webhooks/test", content=b"x" * 300_000)
        other = await provider.post("/v1/webhooks/stripe", content=body, headers=headers)
    assert [old.json()["code"], bare.json()["code"]] == ["bad_signature"] * 2
    assert (old.status_code, bare.status_code, large.status_code) == (400, 400, 413)
    assert (other.status_code, other.json()["code"]) == (404, "not_found")
    assert await available(anna) == "100"


async def test_webhooks_credit_once_and_a_chargeback_leaves_a_debt_that_operators_see(
    app: AccountsApp, anna: Person, operator: Person
) -> None:
    top_up_id = uuid.UUID((await buy(anna))["id"])
    payments, price = TestPayments(), Price(10, "usd")
    held = await anna.client.post("/v1/holds", json={"amount": "100", "reason": "job"})
    assert held.status_code == 201
    async with app.client() as provider:

        async def tell(kind: EventKind, event_id: str) -> None:
            headers, body = payments.webhook(
                top_up_id, kind, app.clock(), money=price, event_id=event_id
            )
            answer = await provider.post("/v1/webhooks/test", content=body, headers=headers)
            assert answer.status_code == 200

        for _ in range(2):
            await tell(EventKind.PAID, "paid")
        assert await available(anna) == "10"
        rest = await anna.client.post("/v1/holds", json={"amount": "7", "reason": "job"})
        await tell(EventKind.CHARGED_BACK, "back")
    balance = (await anna.client.get("/v1/balance")).json()
    assert balance == {"posted": "107", "held": "107", "available": "0", "owed": "7"}
    debts = (await operator.client.get(f"/v1/accounts/{anna.account_id}/debts")).json()["items"]
    assert [(debt["top_up_id"], debt["owed"]) for debt in debts] == [(str(top_up_id), "7")]
    assert rest.status_code == 201
    missing = await operator.client.get(f"/v1/accounts/{uuid.uuid4()}/debts")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_provider_that_was_down_is_asked_again_under_the_same_key(
    app: AccountsApp, anna: Person
) -> None:
    stripe = StripePayments()
    app.services = replace(app.services, payments=stripe.provider)
    headers = {"Idempotency-Key": "k"}
    async with app.client(anna.token) as client:
        stripe.stripe.is_down = True
        refused = await client.post("/v1/topups", json={"credits": "10"}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (503, "provider_unavailable")
        [pending] = (await client.get("/v1/topups")).json()["items"]
        assert (pending["status"], pending["checkout_url"]) == ("pending", None)
        stripe.stripe.is_down = False
        made = await client.post("/v1/topups", json={"credits": "10"}, headers=headers)
        assert made.json()["id"] == pending["id"]
        assert made.json()["checkout_url"].startswith("https://checkout.stripe.com/")
        signed, body = stripe.webhook(
            uuid.UUID(pending["id"]), EventKind.PAID, app.clock(), money=Price(10, "usd")
        )
        for _ in range(2):
            told = await client.post("/v1/webhooks/stripe", content=body, headers=signed)
            assert told.status_code == 200
    assert await available(anna) == "110"


async def test_without_a_provider_credits_are_not_sold(app: AccountsApp, anna: Person) -> None:
    app.services = replace(app.services, payments=None)
    async with app.client(anna.token) as client:
        refused = await client.post("/v1/topups", json={"credits": "10"})
        assert (refused.status_code, refused.json()["code"]) == (503, "provider_unavailable")
        assert (await client.post("/v1/webhooks/none")).status_code == 404
        assert (await client.get("/test-payments/tp_0")).status_code == 404


BACK = "http://127.0.0.1:7860/top-ups?a=1&b='2'"


async def test_the_test_page_leads_back_where_it_ends(app: AccountsApp, anna: Person) -> None:
    body = {"credits": "10", "return_url": BACK}
    top_up = (await anna.client.post("/v1/topups", json=body)).json()
    assert top_up["return_url"] == BACK
    link = (
        '<a href="http://127.0.0.1:7860/top-ups?a=1&amp;b=&#x27;2&#x27;" rel="noreferrer">'
        "Back to where you came from</a>"
    )
    async with app.client() as browser:
        assert "Back to" not in (await browser.get(page_of(top_up))).text
        for outcome in ("declined", "paid"):
            page = await browser.post(page_of(top_up), data={"outcome": outcome})
            assert link in page.text
            assert "You can close this page" in page.text
        assert link in (await browser.get(page_of(top_up))).text
        other = await buy(anna)
        page = await browser.post(page_of(other), data={"outcome": "paid"})
        assert "Back to" not in page.text


async def test_a_stranger_is_not_led_to(anna: Person) -> None:
    body = {"credits": "10", "return_url": "https://evil.example.com/"}
    refused = await anna.client.post("/v1/topups", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    [fault] = refused.json()["errors"]
    assert fault["pointer"] == "/return_url"
    assert "FAREBOX_RETURN_ORIGINS" in fault["detail"]
    assert (await anna.client.get("/v1/topups")).json()["items"] == []


async def test_another_way_back_is_another_top_up(anna: Person) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"credits": "10", "return_url": BACK}
    first = await anna.client.post("/v1/topups", json=body, headers=headers)
    again = await anna.client.post("/v1/topups", json=body, headers=headers)
    assert again.json() == first.json()
    other = await anna.client.post("/v1/topups", json={"credits": "10"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")
