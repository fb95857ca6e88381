"""Change the password, delete the account: what goes to the API, and what becomes of the cookie."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from frontend import credentials
from frontend.server import Server
from frontend.session import SESSION_COOKIE

pytestmark = pytest.mark.anyio
Answer = Callable[[httpx.Request], httpx.Response]
PASSWORDS = {"current_password": "old", "new_password": "new", "again": "new", "language": "en"}
DELETION = {"password": "old", "forfeit_credits": "1 334,50", "language": "ru"}


def console_of(answer: Answer, cookie: str = f"{SESSION_COOKIE}=fb_sess_1") -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(credentials.router)
    app.state.server = Server(
        httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://api")
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("192.0.2.7", 1234)),
        base_url="https://console",
        headers={"Cookie": cookie} if cookie else {},
    )


def refusing(status: int, code: str) -> Answer:
    return lambda _: httpx.Response(status, json={"code": code, "detail": "x"})


def nobody_asks(request: httpx.Request) -> httpx.Response:
    raise AssertionError(request.url)


async def test_the_new_password_is_sent_in_the_name_of_the_session() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    told = await console_of(answer).post("/account/password", data=PASSWORDS)
    assert "The password is changed" in told.json()["said"]
    (sent,) = seen
    assert (sent.method, sent.url.path) == ("PUT", "/accounts/v1/me/password")
    assert json.loads(sent.content) == {"current_password": "old", "new_password": "new"}
    assert sent.headers["authorization"] == "Bearer fb_sess_1"
    assert sent.headers["x-forwarded-for"] == "192.0.2.7"


async def test_two_new_passwords_that_differ_are_not_sent() -> None:
    told = await console_of(nobody_asks).post(
        "/account/password", data=PASSWORDS | {"again": "other"}
    )
    assert told.status_code == 422
    assert "not the same" in told.json()["problem"]


async def test_a_wrong_password_is_told_and_signs_nobody_out() -> None:
    console = console_of(refusing(403, "password_wrong"))
    told = await console.post("/account/password", data=PASSWORDS)
    assert told.status_code == 403
    assert told.json() == {"problem": "The current password is not right."}
    assert "set-cookie" not in told.headers


async def test_a_deleted_account_takes_the_cookie_with_it() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("DELETE", "/accounts/v1/me")
        assert json.loads(request.content) == {"password": "old", "forfeit_credits": "1334.5"}
        return httpx.Response(204)

    told = await console_of(answer).post("/account/deletion", data=DELETION)
    assert told.json() == {"location": "/ru/?deleted=yes"}
    assert told.headers["set-cookie"].startswith(f'{SESSION_COOKIE}="";')
    assert "Max-Age=0" in told.headers["set-cookie"]


async def test_an_account_that_was_not_deleted_keeps_its_cookie() -> None:
    console = console_of(refusing(409, "confirmation_needed"))
    told = await console.post("/account/deletion", data=DELETION)
    assert told.status_code == 409
    assert told.json()["problem"]
    assert "set-cookie" not in told.headers


async def test_what_is_no_amount_deletes_nothing() -> None:
    told = await console_of(nobody_asks).post(
        "/account/deletion", data=DELETION | {"forfeit_credits": "all"}
    )
    assert told.status_code == 422


@pytest.mark.parametrize("cookie", ["", f"{SESSION_COOKIE}=fb_sess_ended"])
async def test_without_a_session_one_is_led_to_sign_in(cookie: str) -> None:
    console = console_of(refusing(401, "unauthenticated"), cookie)
    told = await console.post("/account/password", data=PASSWORDS)
    assert told.json() == {"location": "/en/?after=/en/account"}
