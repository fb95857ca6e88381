"""A replica's HTTP server on a real socket, and a client that reads its answers strictly."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import h11
import uvicorn

from serve.http import Receive, Scope, Send
from serve.ray_http import Ingress
from serve.scoring_protocol import SHORTCUT, ScoringProtocol
from tests.support.serving import Replica, make_body

WAIT_SECONDS = 30.0

Protocol = type[asyncio.Protocol] | Literal["httptools"]
"""`httptools` is uvicorn's own."""


@dataclass(frozen=True)
class WireAnswer:
    """One answer as it was read from the socket."""

    status: int
    pairs: list[tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """Each header once; a repeated one would hide, so that is refused."""
        names = [name for name, _ in self.pairs]
        assert len(names) == len(set(names)), f"a header is sent twice: {names}"
        return dict(self.pairs)

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


@dataclass
class Client:
    """One connection; what is sent on it is written by hand, what comes back is read by h11."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _kept: bytes = b""

    async def send(self, *segments: bytes) -> None:
        """Write each segment by itself."""
        for segment in segments:
            self.writer.write(segment)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def read(self, method: str = "POST") -> WireAnswer:
        """The next final answer; raises when it is not HTTP."""
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=method, target="/", headers=[("host", "h")]))
        parser.send(h11.EndOfMessage())
        if self._kept:
            parser.receive_data(self._kept)
        head, body = None, b""
        while not isinstance(event := parser.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                parser.receive_data(await asyncio.wait_for(self.reader.read(65536), WAIT_SECONDS))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
        self._kept = parser.trailing_data[0]
        assert head is not None
        pairs = [(name.decode(), value.decode()) for name, value in head.headers]
        return WireAnswer(head.status_code, pairs, body)

    async def ask(self, *segments: bytes, method: str = "POST") -> WireAnswer:
        """Send and read one answer."""
        await self.send(*segments)
        return await self.read(method)

    async def is_closed(self) -> bool:
        """Whether the server sends no more and closes; waits for it."""
        return await asyncio.wait_for(self.reader.read(), WAIT_SECONDS) == b"" and not self._kept


@dataclass
class ScoringServer:
    """The server under test, and which requests came to ASGI."""

    uvicorn: uvicorn.Server
    task: asyncio.Task[None]
    port: int
    asgi: list[str] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client

    @property
    def connections(self) -> list[ScoringProtocol]:
        """Those that are open."""
        return list(self.uvicorn.server_state.connections)  # type: ignore[arg-type]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the test runner's."""
        yield


@asynccontextmanager
async def serve(
    replica: Replica,
    protocol: Protocol = ScoringProtocol,
    timeout_keep_alive_seconds: float = 60,
) -> AsyncIterator[ScoringServer]:
    """Serve `replica` on loopback as Ray does, until the block ends."""
    asgi: list[str] = []
    ingress = Ingress(replica.app, SHORTCUT)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asgi.append(scope["path"])
        await ingress(scope, receive, send)

    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_keep_alive=timeout_keep_alive_seconds,  # type: ignore[arg-type]
    )
    before, SHORTCUT.app = SHORTCUT.app, replica.app
    listening = socket.create_server(("127.0.0.1", 0))
    running = _Server(config)
    task = asyncio.create_task(running.serve(sockets=[listening]))
    server = ScoringServer(running, task, listening.getsockname()[1], asgi)
    try:
        await wait_until(lambda: running.started)
        yield server
    finally:
        for client in server.clients:
            client.writer.close()
        running.should_exit = True
        await asyncio.wait_for(task, WAIT_SECONDS)
        SHORTCUT.app = before


async def wait_until(condition: Callable[[], object]) -> None:
    """Look every few milliseconds; bounded."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


def make_request(
    body: bytes = b"",
    *,
    method: str = "POST",
    target: str = "/v1/predictions",
    version: str = "1.1",
    length: int | None = None,
    **headers: str,
) -> bytes:
    """The bytes of a request; `content_type="..."` and the like set headers, "" leaves one out."""
    named = {
        "host": "h",
        "content-type": "application/json",
        "content-length": str(len(body) if length is None else length),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {target} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in named.items() if value]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def make_chunked(*chunks: bytes, trailers: str = "", **headers: str) -> bytes:
    """The bytes of one request whose body says its length piece by piece."""
    head = make_request(content_length="", transfer_encoding="chunked", **headers)
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head + pieces + b"0\r\n" + trailers.encode() + b"\r\n"


def scoring(replica: Replica, body: bytes | None = None, **headers: str) -> bytes:
    """The bytes of a scoring request of Anna's."""
    return make_request(make_body() if body is None else body, **as_anna(replica, headers))


def as_anna(replica: Replica, headers: dict[str, str]) -> dict[str, str]:
    """These headers under Anna's key, unless they name another."""
    return {"authorization": replica.anna} | headers
