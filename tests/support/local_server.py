"""A tiny HTTP server on loopback that answers what a test says and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = tuple[int, Any]
"""A status, and a body: JSON, or a text as it stands."""


@dataclass
class LocalServer:
    """Where it listens, and everything it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def local_server(answer: Callable[[Asked], Answer]) -> Iterator[LocalServer]:
    """Serve until the block ends; `answer` is called for each request."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        local = LocalServer(f"http://127.0.0.1:{server.server_port}")
        server.RequestHandlerClass = _make_handler(local, answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield local
        finally:
            server.shutdown()
            thread.join()


def _make_handler(
    local: LocalServer, answer: Callable[[Asked], Answer]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            local.asked.append(asked)
            status, content = answer(asked)
            sent = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", _media_type(content))
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    return Handler


def _media_type(content: Any) -> str:
    if isinstance(content, str):
        return "text/plain"
    is_problem = isinstance(content, dict) and {"type", "title"} <= content.keys()
    return "application/problem+json" if is_problem else "application/json"
