"""One call of an ASGI application, its messages sent and received by hand."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from serve.http import AsgiApp, Message, Scope

PREDICTIONS = "/v1/predictions"
PROBLEM = "application/problem+json"


@dataclass
class Reply:
    """What the application sent."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        """Each header once; a repeated one would hide, so that is refused."""
        pairs = [(name.decode(), value.decode()) for name, value in self.messages[0]["headers"]]
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), f"a header is sent twice: {names}"
        return dict(pairs)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


def make_scope(path: str, method: str, headers: dict[str, str]) -> Scope:
    """An HTTP/1.1 scope as a server makes it: header names in lower case, the query by itself."""
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
    }


async def call(
    app: AsgiApp,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    *chunks: bytes,
    ends: bool = True,
) -> Reply:
    """Send the body in `chunks`; unless it `ends`, the client goes away after the last."""
    reply = Reply()
    parts = chunks or (b"",)
    waiting: list[Message] = [
        {"type": "http.request", "body": part, "more_body": not ends or place < len(parts) - 1}
        for place, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        reply.messages.append(message)

    await app(make_scope(path, method, headers or {}), receive, send)
    return reply


async def post(
    app: AsgiApp,
    authorization: str,
    *chunks: bytes,
    query: str = "",
    ends: bool = True,
    **headers: str,
) -> Reply:
    """POST /v1/predictions; `content_type="..."` and the like set headers, "" leaves one out."""
    path = f"{PREDICTIONS}?{query}" if query else PREDICTIONS
    named = {"content-type": "application/json", "authorization": authorization}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in named.items() if value}
    return await call(app, path, "POST", sent, *chunks, ends=ends)


def assert_problem(reply: Reply, status: int, code: str) -> None:
    """The reply is this problem document, under a key of ours."""
    assert (reply.status, reply.json["code"]) == (status, code)
    assert reply.json["status"] == status
    assert reply.headers["content-type"] == PROBLEM
    assert reply.headers["content-length"] == str(len(reply.body))
    assert is_ours(reply.headers["idempotency-key"])


def is_ours(key: str) -> bool:
    """Whether a key was made by the server."""
    return uuid.UUID(key).version == 8
