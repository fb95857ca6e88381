"""Sign in, list, sign out, and what browsers may send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from billing.sessions.actions import sweep_sessions
from serve.accounts.access import COOKIE
from serve.accounts.settings import AccountsSettings
from tests.support.accounts import CHEAP_PASSWORDS, AccountsApp, Person, make_app

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

EVA = {"email": "eva@example.com", "password": "correct horse battery"}
OWN = "http://127.0.0.1:8000"


@pytest.fixture
async def client(app: AccountsApp) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody's client; Eva has signed up."""
    async with app.client() as client:
        assert (await client.post("/v1/users", json=EVA)).status_code == 201
        yield client


async def test_program_gets_a_token(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1/sessions", json=EVA | {"email": " EVA@example.com "})
    assert made.status_code == 201
    assert set(made.json()) == {"token", "session_id", "expires_at", "account_id", "role"}
    assert made.headers["location"] == f"/accounts/v1/sessions/{made.json()['session_id']}"
    assert "set-cookie" not in made.headers


async def test_browser_gets_a_cookie_and_no_token(client: httpx.AsyncClient) -> None:
    made = await client.post(
        "/v1/sessions", json=EVA | {"cookie": True}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert (made.status_code, "token" in made.json()) == (201, False)
    cookie = made.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=fb_sess_")
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)


async def test_other_site_cannot_sign_a_browser_in(client: httpx.AsyncClient) -> None:
    refused = await client.post(
        "/v1/sessions", json=EVA | {"cookie": True}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")


async def test_unknown_email_and_wrong_password_are_told_alike_by_as_many_hashes(
    app: AccountsApp, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = app.services.passwords._hasher
    verified: list[str] = []

    class Counting(type(hasher)):  # type: ignore[misc]
        def verify(self, stored: str, password: str) -> Any:
            verified.append(stored)
            return hasher.verify(stored, password)

        def hash(self, *_: object, **__: object) -> str:
            raise AssertionError("nothing is hashed anew")

    monkeypatch.setattr(app.services.passwords, "_hasher", Counting(1, 8, 1))
    answers, hashes = [], []
    for body in (
        EVA | {"password": "something wrong"},
        EVA | {"email": "nobody@example.com"},
        EVA | {"email": "no address"},
    ):
        verified.clear()
        answers.append(await client.post("/v1/sessions", json=body))
        hashes.append([each.rsplit("$", 2)[0] for each in verified])
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["code"] == "sign_in_failed"
    assert hashes[0] == hashes[1] == hashes[2]
    assert len(hashes[0]) == 1


async def test_sign_in_renews_a_hash_of_older_parameters(
    app: AccountsApp, client: httpx.AsyncClient, superuser: asyncpg.Connection
) -> None:
    before = await superuser.fetchval("SELECT password_hash FROM users")
    settings = AccountsSettings(**CHEAP_PASSWORDS | {"password_time_cost": 2})
    newer = make_app(app.services.database, app.services.billing, settings)
    async with newer.client() as other:
        wrong = await other.post("/v1/sessions", json=EVA | {"password": "wrong password"})
        assert wrong.status_code == 401
        assert await superuser.fetchval("SELECT password_hash FROM users") == before
        assert (await other.post("/v1/sessions", json=EVA)).status_code == 201
    after = await superuser.fetchval("SELECT password_hash FROM users")
    assert (",t=1," in before, ",t=2," in after) == (True, True)
    assert (await client.post("/v1/sessions", json=EVA)).status_code == 201


async def test_sessions_are_listed_and_ended(
    app: AccountsApp, client: httpx.AsyncClient, anna: Person
) -> None:
    made = [(await client.post("/v1/sessions", json=EVA)).json() for _ in range(3)]
    async with app.client(made[0]["token"]) as eva:
        listed = (await eva.get("/v1/sessions")).json()["items"]
        assert [(s["id"], s["current"]) for s in listed] == [
            (each["session_id"], place == 0) for place, each in reversed(list(enumerate(made)))
        ]
        foreign = await anna.client.delete(f"/v1/sessions/{made[1]['session_id']}")
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        assert (await eva.delete(f"/v1/sessions/{made[1]['session_id']}")).status_code == 204
        assert len((await eva.get("/v1/sessions")).json()["items"]) == 2
        assert (await eva.delete("/v1/sessions")).status_code == 204
        assert len((await eva.get("/v1/sessions")).json()["items"]) == 1
        out = await eva.delete("/v1/sessions/current")
        assert out.status_code == 204
        assert f'{COOKIE}=""' in out.headers["set-cookie"]
        assert "Max-Age=0" in out.headers["set-cookie"]
        assert (await eva.get("/v1/sessions")).status_code == 401
    assert (await anna.client.get("/v1/sessions")).status_code == 200


async def test_key_may_not_see_sessions(app: AccountsApp, anna: Person) -> None:
    async with app.client(anna.api_key) as client:
        assert (await client.get("/v1/sessions")).status_code == 403


async def test_ended_sessions_are_swept(
    app: AccountsApp, client: httpx.AsyncClient, superuser: asyncpg.Connection
) -> None:
    for _ in range(2):
        await client.post("/v1/sessions", json=EVA)
    app.clock.forward(hours=25)
    await client.post("/v1/sessions", json=EVA)
    lifetimes = app.services.settings.lifetimes
    sweep = {"lifetimes": lifetimes, "now": app.clock(), "rows_max": 2}
    assert await sweep_sessions(app.services.database, **sweep) is True
    assert await sweep_sessions(app.services.database, **sweep) is False
    assert await superuser.fetchval("SELECT count(*) FROM sessions") == 1


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": OWN}, True),
        ({"Origin": OWN}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OWN}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://127.0.0.1:8000"}, False),
        ({"Origin": "http://127.0.0.1"}, False),
        ({"Origin": f"{OWN}.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
        ({"Referer": OWN}, False),
    ],
)
async def test_cookie_changes_things_from_our_own_pages_alone(
    app: AccountsApp, anna: Person, headers: dict[str, str], passes: bool
) -> None:
    async with app.client() as client:
        cookie = {"Cookie": f"{COOKIE}={anna.token}"}
        assert (await client.get("/v1/me", headers=cookie | headers)).status_code == 200
        answer = await client.delete("/v1/sessions", headers=cookie | headers)
    if passes:
        assert answer.status_code == 204
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_bearer_token_is_free_of_the_check(app: AccountsApp, anna: Person) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Cookie": f"{COOKIE}={anna.token}"}
    assert (await anna.client.delete("/v1/sessions", headers=headers)).status_code == 204


async def test_other_scheme_does_not_free_a_cookie_of_the_check(
    app: AccountsApp, anna: Person
) -> None:
    headers = {"Authorization": "Basic eA==", "Cookie": f"{COOKIE}={anna.token}"}
    async with app.client() as client:
        assert (await client.delete("/v1/sessions", headers=headers)).status_code == 403


async def test_cookie_holds_no_key(app: AccountsApp, anna: Person) -> None:
    async with app.client() as client:
        cookie = {"Cookie": f"{COOKIE}={anna.api_key}"}
        assert (await client.get("/v1/me", headers=cookie)).status_code == 401
