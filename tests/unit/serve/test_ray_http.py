"""Headers that Ray reads are ours to set, not the client's."""

from __future__ import annotations

import asyncio

import pytest

from serve.http import Message, Receive, Scope, Send
from serve.ray_http import IngressHeaders, middlewares

NO_WATCH = (b"x-request-disconnect-disabled", b"?1")


def pass_through(*headers: tuple[bytes, bytes], kind: str = "http") -> list[tuple[bytes, bytes]]:
    """The headers that the application behind it sees."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def receive() -> Message:
        raise AssertionError("nothing is received on the way")

    async def send(message: Message) -> None:
        raise AssertionError("nothing is sent on the way")

    asyncio.run(IngressHeaders(app)({"type": kind, "headers": list(headers)}, receive, send))
    [scope] = seen
    found: list[tuple[bytes, bytes]] = scope["headers"]
    return found


def test_ray_is_told_not_to_watch_for_a_disconnect() -> None:
    assert pass_through() == [NO_WATCH]


@pytest.mark.parametrize("value", [b"?0", b"?1", b"nonsense"])
def test_a_client_does_not_choose_whether_ray_watches(value: bytes) -> None:
    assert pass_through((NO_WATCH[0], value)) == [NO_WATCH]


def test_other_headers_pass_in_order() -> None:
    headers = [(b"host", b"h"), (b"idempotency-key", b"k"), (b"x-request-id", b"r-1")]
    assert pass_through(*headers) == [*headers, NO_WATCH]


@pytest.mark.parametrize("value", [b"", b"two words", b"a\nb", b"\xe4", b"x" * 129, b"\x7f"])
def test_a_request_id_that_cannot_be_logged_is_dropped(value: bytes) -> None:
    assert pass_through((b"x-request-id", value)) == [NO_WATCH]


def test_the_longest_request_id_passes() -> None:
    header = (b"x-request-id", b"~" * 128)
    assert header in pass_through(header)


def test_what_is_not_http_passes_untouched() -> None:
    assert pass_through((b"x-request-id", b"a b"), kind="websocket") == [(b"x-request-id", b"a b")]


def test_ray_finds_it_where_it_looks() -> None:
    [middleware] = middlewares()
    assert middleware.cls is IngressHeaders
