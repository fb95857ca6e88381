"""Attempts are bounded by e-mail, by address behind a trusted proxy, and in all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import httpx
import pytest

from serve.accounts.settings import AccountsSettings
from tests.support.accounts import CHEAP_PASSWORDS, AccountsApp, make_app

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Throttled = Callable[..., AccountsApp]


@pytest.fixture
async def throttled(app: AccountsApp, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Throttled]:
    """The application with other bounds, whose windows move with the test's clock."""

    def make(**settings: object) -> AccountsApp:
        made = make_app(
            app.services.database,
            app.services.billing,
            AccountsSettings.model_validate(CHEAP_PASSWORDS | settings),
        )
        clock = SimpleNamespace(time=lambda: made.clock().timestamp())
        monkeypatch.setattr("limits.storage.memory.time", clock)
        return made

    yield make  # noqa: PT022 - monkeypatch must end later


async def attempt(client: httpx.AsyncClient, email: str = "a@example.com", **headers: str) -> int:
    body = {"email": email, "password": "wrong password"}
    return (await client.post("/v1/sessions", json=body, headers=headers)).status_code


async def test_attempts_on_one_email_are_bounded_until_the_window_has_moved(
    throttled: Throttled,
) -> None:
    app = throttled(sign_in_rate_per_email="2 per 10 minutes")
    async with app.client() as client:
        assert [await attempt(client) for _ in range(2)] == [401, 401]
        app.clock.forward(minutes=4)
        body = {"email": "A@example.com", "password": "wrong password"}
        refused = await client.post("/v1/sessions", json=body)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert refused.headers["retry-after"] == "360"
        assert await attempt(client, "b@example.com") == 401
        app.clock.forward(minutes=6, seconds=1)
        assert await attempt(client) == 401


async def test_success_clears_the_emails_count(throttled: Throttled) -> None:
    app = throttled(sign_in_rate_per_email="2 per 10 minutes")
    person = {"email": "a@example.com", "password": "correct horse battery"}
    async with app.client() as client:
        await client.post("/v1/users", json=person)
        for _ in range(3):
            assert await attempt(client) == 401
            assert (await client.post("/v1/sessions", json=person)).status_code == 201


async def test_attempts_in_all_are_bounded(throttled: Throttled) -> None:
    app = throttled(sign_in_rate_in_all="3 per minute")
    async with app.client() as client:
        seen = [await attempt(client, f"p{n}@example.com") for n in range(4)]
    assert seen == [401, 401, 401, 429]


async def test_sign_ups_are_bounded(throttled: Throttled) -> None:
    app = throttled(sign_up_rate_in_all="2 per minute")
    async with app.client() as client:
        statuses = [
            (
                await client.post(
                    "/v1/users", json={"email": f"p{n}@example.com", "password": "0123456789"}
                )
            ).status_code
            for n in range(3)
        ]
    assert statuses == [201, 201, 429]


async def test_one_mailbox_is_not_filled_under_many_names(throttled: Throttled) -> None:
    app = throttled(sign_up_rate_per_email="2 per minute", smtp_host="127.0.0.1")
    async with app.client() as client:
        for path, status in (("/v1/users", 201), ("/v1/password-resets", 202)):
            app.clock.forward(minutes=2)
            statuses = []
            for name in ("anna", "Anna+1", "anna+2"):
                body = {"email": f"{name}@example.com"}
                if path == "/v1/users":
                    body["password"] = "0123456789"
                statuses.append((await client.post(path, json=body)).status_code)
            assert statuses == [status, status, 429]


async def test_addresses_count_behind_a_trusted_proxy(throttled: Throttled) -> None:
    app = throttled(trusted_proxies="127.0.0.1/32", sign_in_rate_per_address="1 per minute")
    async with app.client() as client:
        first = {"X-Forwarded-For": "9.9.9.9, 1.2.3.4"}
        invented = {"X-Forwarded-For": "8.8.8.8, 1.2.3.4"}
        other = {"X-Forwarded-For": "1.2.3.5"}
        assert await attempt(client, "a@example.com", **first) == 401
        assert await attempt(client, "b@example.com", **invented) == 429
        assert await attempt(client, "b@example.com", **other) == 401


async def test_addresses_do_not_count_without_one(throttled: Throttled) -> None:
    app = throttled(sign_in_rate_per_address="1 per minute")
    async with app.client() as client:
        for number in range(3):
            headers = {"X-Forwarded-For": "1.2.3.4"}
            assert await attempt(client, f"p{number}@example.com", **headers) == 401
