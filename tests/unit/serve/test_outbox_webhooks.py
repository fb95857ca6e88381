"""One attempt at a webhook, over a network that is none and over loopback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpcore
import pytest

from billing.outbox.values import Claimed
from serve.accounts.outbox.sending import NotSent
from serve.accounts.outbox.webhooks import WebhookSender, sign
from tests.support.local_server import local_server

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PUBLIC = "93.184.215.14"


def claim(url: str | None = "https://example.com/hook?a=b") -> Claimed:
    payload = {"type": "balance.low", "data": {"balance": "9.5"}}
    return Claimed(uuid.uuid4(), uuid.uuid4(), payload, 1, NOW, url, "whsec_test")


async def to_public(host: str, port: int) -> Sequence[str]:
    return [PUBLIC]


class Stream(httpcore.AsyncMockStream):
    """Answers with what it was given; keeps what it was sent and the name TLS was asked for."""

    def __init__(self, answer: bytes) -> None:
        super().__init__([answer])
        self.sent = b""
        self.server_hostname: str | None = None

    async def write(self, buffer: bytes, **_: Any) -> None:
        self.sent += buffer

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        *_: Any,
        **__: Any,
    ) -> httpcore.AsyncNetworkStream:
        assert ssl_context.verify_mode is ssl.CERT_REQUIRED
        self.server_hostname = server_hostname
        return self


class Network(httpcore.AsyncNetworkBackend):
    """Gives every connection the same answer."""

    def __init__(self, answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self.stream = Stream(answer)
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        *_: Any,
        **__: Any,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        return self.stream


def make_sender(network: Network, **options: Any) -> WebhookSender:
    return WebhookSender(timeout_seconds=5, resolve=to_public, network=network, **options)


def make_local_sender(timeout_seconds: float = 5) -> WebhookSender:
    return WebhookSender(timeout_seconds=timeout_seconds, allow_http=True, allow_private=True)


async def test_tls_and_host_keep_the_name_of_the_url() -> None:
    network = Network()
    await make_sender(network).send(claim(), NOW)
    assert network.connected == [(PUBLIC, 443)]
    assert network.stream.server_hostname == "example.com"
    head = network.stream.sent.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "POST /hook?a=b HTTP/1.1"
    assert "Host: example.com" in head


async def test_port_of_the_url_is_kept() -> None:
    network = Network()
    await make_sender(network).send(claim("https://example.com:8443/"), NOW)
    assert network.connected == [(PUBLIC, 8443)]
    assert b"Host: example.com:8443\r\n" in network.stream.sent


async def test_receiver_gets_the_signed_event() -> None:
    claimed = claim()
    with local_server(lambda _: (200, {})) as receiver:
        await make_local_sender().send(
            Claimed(
                claimed.id,
                claimed.account_id,
                claimed.payload,
                1,
                NOW,
                f"{receiver.url}/hook",
                "whsec_test",
            ),
            NOW,
        )
    [asked] = receiver.asked
    seconds = int(NOW.timestamp())
    digest = hmac.new(b"whsec_test", f"{seconds}.".encode() + asked.body, hashlib.sha256)
    assert (asked.method, asked.path) == ("POST", "/hook")
    assert asked.json == claimed.payload
    assert asked.headers["farebox-signature"] == f"t={seconds},v1={digest.hexdigest()}"
    assert asked.headers["farebox-delivery"] == str(claimed.id)
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"].startswith("Farebox")


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_status_that_is_no_success_is_a_failure(status: int) -> None:
    with local_server(lambda _: (status, {})) as receiver, pytest.raises(NotSent) as caught:
        await make_local_sender().send(claim(receiver.url), NOW)
    assert str(status) in caught.value.reason
    assert not caught.value.is_final


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_a_failure_and_not_followed(status: int) -> None:
    with local_server(lambda _: (200, {})) as inside:
        answer = f"HTTP/1.1 {status} Moved\r\nLocation: {inside.url}/\r\n\r\n".encode()
        network = Network(answer)
        with pytest.raises(NotSent, match="redirects are not followed"):
            await make_sender(network, allow_http=True).send(claim("http://example.com/"), NOW)
    assert inside.asked == []
    assert network.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "127.1"],
)
async def test_loopback_is_not_reached_by_any_spelling(host: str) -> None:
    with local_server(lambda _: (200, {})) as inside:
        port = inside.url.rpartition(":")[2]
        sender = WebhookSender(timeout_seconds=5, allow_http=True)
        with pytest.raises(NotSent, match="public"):
            await sender.send(claim(f"http://{host}:{port}/"), NOW)
    assert inside.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1:80@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/ @127.0.0.1/",
        "https://example.com/#@127.0.0.1/",
        "file:///etc/passwd",
    ],
)
async def test_url_with_a_trick_is_given_up_unsent(url: str) -> None:
    network = Network()
    with pytest.raises(NotSent) as caught:
        await make_sender(network, allow_http=True).send(claim(url), NOW)
    assert caught.value.is_final
    assert network.connected == []


async def test_http_is_given_up_where_it_is_not_allowed() -> None:
    network = Network()
    with pytest.raises(NotSent, match="https://"):
        await make_sender(network).send(claim("http://example.com/"), NOW)
    assert network.connected == []


async def test_deleted_alert_is_given_up() -> None:
    with pytest.raises(NotSent) as caught:
        await make_sender(Network()).send(claim(None), NOW)
    assert caught.value.is_final


@asynccontextmanager
async def receiver_that(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncIterator[str]:
    """A listener on loopback that speaks as `talk` says."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_receiver_that_drips_is_cut_off() -> None:
    stopped = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while True:
                writer.write(b"X-Slow: 1\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        finally:
            stopped.set()

    async with receiver_that(drip) as url, asyncio.timeout(5):
        with pytest.raises(NotSent, match=r"No answer in 0\.2 seconds"):
            await make_local_sender(0.2).send(claim(url), NOW)
        await stopped.wait()


async def test_body_of_the_answer_is_not_read() -> None:
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    async with receiver_that(flood) as url, asyncio.timeout(5):
        await make_local_sender().send(claim(url), NOW)
    assert written < 100_000_000


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-server\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_what_speaks_no_http_is_a_failure(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with receiver_that(talk) as url:
        with pytest.raises(NotSent, match="connection failed"):
            await make_local_sender().send(claim(url), NOW)


async def test_port_without_a_listener_is_a_failure() -> None:
    async with receiver_that(lambda *_: asyncio.sleep(0)) as url:
        pass
    with pytest.raises(NotSent, match="connection failed"):
        await make_local_sender().send(claim(url), NOW)


def test_signature_covers_time_and_body() -> None:
    later = datetime(2026, 1, 2, tzinfo=UTC)
    body = json.dumps({}).encode()
    signatures = {
        sign("whsec_a", body, NOW),
        sign("whsec_b", body, NOW),
        sign("whsec_a", body + b" ", NOW),
        sign("whsec_a", body, later).replace(str(int(later.timestamp())), "same"),
        sign("whsec_a", body, NOW).replace(str(int(NOW.timestamp())), "same"),
    }
    assert len({signature.partition("v1=")[2] for signature in signatures}) == 4
