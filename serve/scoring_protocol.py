"""uvicorn's HTTP/1.1 protocol with a shorter way for scoring requests: no ASGI in between.

ASGI costs a scoring request a scope, an event, three messages, two writes and a check of each
header; this way it has one task and one write. All else goes uvicorn's own way, and so does a
scoring request that is not plain: pipelined, HTTP/1.0, or asking for 100-continue.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from serve.batcher import queue_full
from serve.http import (
    Answerer,
    Request,
    Response,
    ScoringApp,
    check_declared_length,
    settle_request_id,
    too_large,
)
from serve.pipeline import ROUTE
from serve.refusals import Refusal

_PATH = ROUTE.encode()
_PATH_AND_QUERY = _PATH + b"?"
_INFER = b"/v2/models/"


class ScoringShortcut:
    """Where a replica's HTTP server finds the scoring application of its process."""

    def __init__(self) -> None:
        self.app: ScoringApp | None = None


SHORTCUT = ScoringShortcut()
"""One for the process: a replica is a process, and uvicorn makes its protocols by itself."""


class _Exchange(RequestResponseCycle):
    """A scoring request and its answer, in the place of the cycle that ASGI would have.

    What uvicorn's protocol asks of a cycle is here; what only ASGI needs is not.
    """

    message_event = asyncio.Event()
    """Set by uvicorn when a connection is lost; nobody waits for it here."""

    def __init__(self, app: Answerer, protocol: ScoringProtocol, path: str) -> None:
        self._app = app
        self._protocol = protocol
        self.disconnected = False
        self.response_complete = False
        self.keep_alive = protocol.parser.should_keep_alive()
        self._chunks: list[bytes] = []
        self._length = 0
        headers = dict(protocol.headers)
        request_id = settle_request_id(headers.get(b"x-request-id"))
        query = protocol.url[len(_PATH_AND_QUERY) :]
        self._request = Request(headers, query, b"", request_id, path)

    def begin(self) -> None:
        """Refuse what need not be read: anything while the queue is full, and too large a body.

        Under overload most requests are refused, so a refusal has to cost little.
        """
        try:
            if self._app.is_full:
                raise queue_full()
            check_declared_length(self._request.headers, self._app.body_bytes_max)
        except Refusal as refusal:
            self._write(self._app.refuse(self._request, refusal))

    def take(self, chunk: bytes) -> None:
        """Keep a piece of the body; past the bound the request is refused."""
        if self.response_complete:
            return
        self._chunks.append(chunk)
        self._length += len(chunk)
        if self._length > self._app.body_bytes_max:
            self._write(self._app.refuse(self._request, too_large(self._app.body_bytes_max)))

    def body_ended(self) -> None:
        """Answer in a task, which uvicorn waits for when it shuts down."""
        if self.response_complete:
            return
        chunks = self._chunks
        self._request.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        tasks = self._protocol.tasks
        task = self._protocol.loop.create_task(self._answer())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _answer(self) -> None:
        """A client that went away is not written to; its request was worked off all the same."""
        self._write(await self._app.respond(self._request))

    def _write(self, response: Response) -> None:
        self.response_complete = True
        transport = self._protocol.transport
        if self.disconnected or transport.is_closing():
            return
        lines = [STATUS_LINE[response.status], self._protocol.default_lines()]
        for name, value in response.headers:
            if name == b"connection":
                self.keep_alive = False
            else:
                lines += (name, b": ", value, b"\r\n")
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        ending = b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n"
        lines += (ending % (self._request.request_id, len(response.body)), response.body)
        transport.write(b"".join(lines))
        if not self.keep_alive:
            transport.close()
        self._protocol.exchange_ended()


class ScoringProtocol(HttpToolsProtocol):
    """One connection of HAProxy's to this replica."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._default_headers: object = None
        self._default_lines = b""
        self._silence_timer: asyncio.TimerHandle | None = None
        self._heard_at = 0.0

    def default_lines(self) -> bytes:
        """`Date` and `Server` as uvicorn keeps them, which makes a new list each second."""
        headers = self.server_state.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._default_lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._default_lines

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._silence_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._silence_timer is not None:
            self._silence_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        super().data_received(data)

    def exchange_ended(self) -> None:
        """As uvicorn's `on_response_complete`, without a timer for each answer."""
        if self.pipeline:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._heard_at = self.loop.time()
            self.flow.resume_reading()

    def _close_if_silent(self) -> None:
        """One timer a connection: it looks when the time may be over, not at every answer."""
        is_busy = not self._is_idle
        since = self.loop.time() if is_busy else self._heard_at
        left = since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._silence_timer = self.loop.call_later(left, self._close_if_silent)
        elif not self.transport.is_closing():
            self.transport.close()

    def on_headers_complete(self) -> None:
        if self.transport.is_closing():
            return  # what follows a refused body in one segment would be charged but not answered
        app = SHORTCUT.app
        if app is None or not self._is_plain_scoring():
            super().on_headers_complete()
            return
        if self.url.startswith(_INFER):
            exchange = _Exchange(app.infer, self, self.url.decode("latin-1"))
        else:
            exchange = _Exchange(app, self, ROUTE)
        self.cycle = exchange
        exchange.begin()

    def on_body(self, body: bytes) -> None:
        if isinstance(self.cycle, _Exchange):
            self.cycle.take(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if isinstance(self.cycle, _Exchange):
            self.cycle.body_ended()
        else:
            super().on_message_complete()

    def _is_plain_scoring(self) -> bool:
        return (
            (self.url == _PATH or self.url.startswith(_PATH_AND_QUERY) or self._is_plain_infer())
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and not self.parser.should_upgrade()
            and self._is_idle
            and not self.pipeline
            and b"#" not in self.url
        )

    def _is_plain_infer(self) -> bool:
        return self.url.startswith(_INFER) and self.url.endswith(b"/infer") and b"%" not in self.url

    @property
    def _is_idle(self) -> bool:
        """Whether no request of this connection waits for its answer."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete
