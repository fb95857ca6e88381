"""What stands before every request of the console."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from frontend.guard import Guard, find_page
from frontend.language import Language
from frontend.server import Server, connect
from frontend.session import SESSION_COOKIE

pytestmark = pytest.mark.anyio
GRADIOS_PAGE = """\
<!doctype html>
<html
\tlang="en">
<head>
<meta property="og:image" content="https://example.org/header.jpg" />
<meta name="twitter:title" content="Gradio" />
<script>window.gradio_config = {"title":"Farebox"};</script>
<link rel="manifest" href="/manifest.json" />
</head></html>"""


async def page(_request: Request) -> Response:
    return HTMLResponse(GRADIOS_PAGE)


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


ROUTES = [
    Route("/en/", page),
    Route("/ru/check", page),
    Route("/en/gradio_api/join", echo, methods=["POST"]),
    Route("/ru/gradio_api/upload", echo, methods=["POST"]),
]
APP = Starlette(routes=ROUTES, middleware=[Middleware(Guard)])


@pytest.fixture
def http() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://console")


async def test_a_page_without_a_session_leads_to_sign_in_and_back(http: httpx.AsyncClient) -> None:
    answer = await http.get("/ru/check?example=a&b=c")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/ru/?after=/ru/check%3Fexample%3Da%26b%3Dc"


async def test_a_page_is_given_to_whoever_has_a_session(http: httpx.AsyncClient) -> None:
    answer = await http.get("/ru/check", headers={"Cookie": f"{SESSION_COOKIE}=token"})
    assert answer.status_code == 200
    assert 'lang="ru"' in answer.text
    assert "<title>Проверить приложение · Farebox</title>" in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["cache-control"] == "no-store"


async def test_nothing_on_a_page_speaks_of_other_sites(http: httpx.AsyncClient) -> None:
    answer = await http.get("/en/")
    assert "example.org" not in answer.text
    assert "twitter" not in answer.text
    assert "manifest" not in answer.text
    assert '"title":"Welcome · Farebox"' in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://console"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_what_other_sites_send_is_not_done(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await http.post("/en/gradio_api/join", content=b"x", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://console"}, {}]
)
async def test_our_own_pages_and_programs_pass(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await http.post("/en/gradio_api/join", content=b"x", headers=headers)
    assert answer.text == "x"


def test_pages_are_known_by_language_and_name() -> None:
    assert find_page("/en/") == (Language.ENGLISH, "")
    assert find_page("/ru/history/") == (Language.RUSSIAN, "history")
    assert find_page("/en/assets/index.js") is None
    assert find_page("/de/history") is None


def answer_me(request: httpx.Request) -> httpx.Response:
    if request.headers["authorization"] == "Bearer anna":
        return httpx.Response(200, json={})
    return httpx.Response(401, json={"code": "unauthenticated"})


@pytest.mark.parametrize(("session", "status"), [("anna", 200), ("somebody", 401), ("", 401)])
async def test_only_who_is_signed_in_uploads(
    http: httpx.AsyncClient, session: str, status: int
) -> None:
    APP.state.server = Server(
        httpx.AsyncClient(transport=httpx.MockTransport(answer_me), base_url="http://api")
    )
    headers = {"Cookie": f"{SESSION_COOKIE}={session}"} if session else {}
    answer = await http.post("/ru/gradio_api/upload", content=b"file", headers=headers)
    assert (answer.status_code, answer.text == "file") == (status, status == 200)


async def test_an_upload_waits_for_a_service_that_is_down(http: httpx.AsyncClient) -> None:
    APP.state.server = connect("http://127.0.0.1:9", 1)
    headers = {"Cookie": f"{SESSION_COOKIE}=anna"}
    answer = await http.post("/ru/gradio_api/upload", content=b"file", headers=headers)
    assert answer.status_code == 503
    assert answer.text.startswith("Сервис сейчас не отвечает")
