"""What stands between a replica's HTTP server and Ray."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from uvicorn.config import HTTP_PROTOCOLS, Config

from serve.http import AsgiApp, Message, Receive, Scope, Send
from serve.ray_http import Ingress, middlewares
from serve.scoring_protocol import SHORTCUT, ScoringProtocol, ScoringShortcut

Header = tuple[bytes, bytes]


class Recorder:
    """An application that keeps the scopes it was called with and answers 200."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def call(
    ray: AsgiApp,
    scoring: AsgiApp | None,
    *headers: Header,
    path: str = "/v1/predictions",
    method: str = "POST",
    kind: str = "http",
) -> list[Message]:
    """One call through the middleware; what was sent back."""
    sent: list[Message] = []
    shortcut = ScoringShortcut()
    shortcut.app = scoring

    async def receive() -> Message:
        raise AssertionError("nothing is received on the way")

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": kind, "path": path, "method": method, "headers": list(headers)}
    asyncio.run(Ingress(ray, shortcut)(scope, receive, send))
    return sent


def request_id_of(headers: list[Header]) -> bytes:
    [request_id] = [value for name, value in headers if name == b"x-request-id"]
    return request_id


def test_a_scoring_request_goes_around_ray_and_is_answered_with_its_id() -> None:
    ray, scoring = Recorder(), Recorder()
    start, end = call(ray, scoring, (b"x-request-id", b"order-42"))
    assert (len(ray.scopes), len(scoring.scopes)) == (0, 1)
    assert start["headers"] == [(b"x-request-id", b"order-42")]
    assert end["body"] == b"done"


@pytest.mark.parametrize(
    ("path", "method"),
    [("/v1/predictions", "GET"), ("/v1/predictions/", "POST"), ("/-/healthz", "GET")],
)
def test_every_other_request_goes_through_ray(path: str, method: str) -> None:
    ray, scoring = Recorder(), Recorder()
    start, _ = call(ray, scoring, path=path, method=method)
    assert (len(ray.scopes), len(scoring.scopes)) == (1, 0)
    assert start["headers"] == []  # Ray adds the id itself


def test_before_the_application_is_built_ray_takes_everything() -> None:
    ray = Recorder()
    call(ray, None)
    assert len(ray.scopes) == 1


def test_other_headers_pass_in_order() -> None:
    scoring = Recorder()
    headers = [(b"host", b"h"), (b"idempotency-key", b"k"), (b"x-request-id", b"r-1")]
    call(Recorder(), scoring, *headers)
    assert scoring.scopes[0]["headers"] == headers


@pytest.mark.parametrize("value", [b"", b"two words", b"a\nb", b"\xe4", b"x" * 129, b"\x7f"])
def test_a_request_id_that_cannot_be_logged_is_replaced(value: bytes) -> None:
    for path in ("/v1/predictions", "/v1/models"):
        application = Recorder()
        call(application, application, (b"x-request-id", value), path=path)
        assert uuid.UUID(request_id_of(application.scopes[0]["headers"]).decode()).version == 7


def test_the_longest_request_id_passes() -> None:
    scoring = Recorder()
    call(Recorder(), scoring, (b"x-request-id", b"~" * 128))
    assert request_id_of(scoring.scopes[0]["headers"]) == b"~" * 128


def test_what_is_not_http_passes_untouched() -> None:
    ray = Recorder()
    call(ray, Recorder(), (b"x-request-id", b"a b"), kind="websocket")
    assert ray.scopes[0]["headers"] == [(b"x-request-id", b"a b")]


@pytest.fixture
def protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `middlewares` names for the whole process is taken back after the test."""
    monkeypatch.setitem(HTTP_PROTOCOLS, "auto", HTTP_PROTOCOLS["auto"])


@pytest.mark.usefixtures("protocols")
def test_ray_is_given_one_middleware_with_the_shortcut_of_the_process() -> None:
    [middleware] = middlewares()
    assert middleware.cls is Ingress
    assert middleware.kwargs == {"shortcut": SHORTCUT}


@pytest.mark.usefixtures("protocols")
def test_a_server_that_leaves_its_protocol_to_uvicorn_has_ours_from_then_on() -> None:
    middlewares()
    config = Config(Recorder(), ws="none", lifespan="off", log_config=None)
    config.load()
    assert config.http_protocol_class is ScoringProtocol
