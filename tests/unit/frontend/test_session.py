"""Sign up, sign in and out: the token goes into the cookie, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from frontend import session
from frontend.server import Server
from frontend.session import SESSION_COOKIE, is_own_path

pytestmark = pytest.mark.anyio
Answer = Callable[[httpx.Request], httpx.Response]
FORM = {"email": "anna@example.com", "password": "a long password", "language": "en"}


def signed_in() -> httpx.Response:
    expires_at = datetime.now(UTC) + timedelta(days=30)
    return httpx.Response(
        201, json={"token": "fb_sess_secret", "expires_at": expires_at.isoformat()}
    )


def console_of(answer: Answer, cookie: str = "") -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(session.router)
    app.state.server = Server(
        httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://api")
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("192.0.2.7", 1234)),
        base_url="https://console",
        headers={"User-Agent": "Firefox", **({"Cookie": cookie} if cookie else {})},
    )


async def test_signing_in_sets_the_cookie_and_tells_no_token() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return signed_in()

    told = await console_of(answer).post("/session", data=FORM | {"after": "/en/many"})
    assert told.json() == {"location": "/en/many"}
    assert "fb_sess" not in told.text
    cookie = told.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=fb_sess_secret;")
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=25"):
        assert part in cookie
    assert seen[0].headers["user-agent"] == "Firefox"
    assert seen[0].headers["x-forwarded-for"] == "192.0.2.7"


async def test_signing_up_makes_the_account_first() -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        assert json.loads(request.content)["email"] == "anna@example.com"
        return signed_in()

    told = await console_of(answer).post("/sign-up", data=FORM)
    assert told.json() == {"location": "/en/check"}
    assert paths == ["/accounts/v1/users", "/accounts/v1/sessions"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "No user has this e-mail and password."),
        ("ru", "Пользователя с таким адресом и паролем нет."),  # noqa: RUF001 - Cyrillic
    ],
)
async def test_a_refusal_is_told_in_the_pages_language(language: str, said: str) -> None:
    problem = {"code": "sign_in_failed", "detail": "x"}
    console = console_of(lambda _: httpx.Response(401, json=problem))
    told = await console.post("/session", data=FORM | {"language": language})
    assert told.status_code == 401
    assert told.json() == {"problem": said}
    assert "set-cookie" not in told.headers


async def test_faults_without_words_of_ours_are_told_in_the_servers() -> None:
    problem = {"code": "invalid_request", "errors": [{"pointer": "/email", "detail": "No @ in it"}]}
    told = await console_of(lambda _: httpx.Response(422, json=problem)).post("/session", data=FORM)
    assert told.json() == {"problem": "No @ in it"}


async def test_a_server_that_does_not_answer_is_told_as_that() -> None:
    told = await console_of(lambda _: httpx.Response(502)).post("/session", data=FORM)
    assert told.status_code == 503
    assert "does not answer" in told.json()["problem"]


@pytest.mark.parametrize("status", [204, 401, 502])
async def test_signing_out_forgets_the_cookie_whatever_the_server_says(status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer fb_sess_x"
        return httpx.Response(status, json={"code": "unauthenticated"} if status == 401 else None)

    gone = await console_of(answer, f"{SESSION_COOKIE}=fb_sess_x").post("/session/end")
    assert gone.status_code == 303
    assert "Max-Age=0" in gone.headers["set-cookie"]


@pytest.mark.parametrize(
    ("cookie", "status", "told"),
    [("", 204, 401), (f"{SESSION_COOKIE}=x", 200, 204), (f"{SESSION_COOKIE}=x", 502, 503)],
)
async def test_a_page_can_ask_whether_it_is_still_signed_in(
    cookie: str, status: int, told: int
) -> None:
    console = console_of(lambda _: httpx.Response(status, json={"role": "user"}), cookie)
    assert (await console.get("/session")).status_code == told


@pytest.mark.parametrize(
    ("after", "location"),
    [("/en/account?tab=keys", "/ru/account?tab=keys"), ("//evil.example", "/ru/"), ("", "/ru/")],
)
async def test_the_switch_leads_to_the_same_page_in_the_other_language(
    after: str, location: str
) -> None:
    console = console_of(lambda _: httpx.Response(204))
    switched = await console.get("/language/ru", params={"after": after})
    assert switched.headers["location"] == location
    assert "farebox_language=ru" in switched.headers["set-cookie"]


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/a", ""],
)
def test_no_redirect_leads_to_another_host(path: str) -> None:
    assert not is_own_path(path)
