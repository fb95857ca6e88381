"""Middleware around a replica's HTTP server, outside Ray's own request wrapper.

Ray calls `middlewares` by `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`.
"""

from __future__ import annotations

import re

import uuid_utils
from starlette.middleware import Middleware

from serve.http import AsgiApp, Message, Receive, Scope, Send, is_scoring

_REQUEST_ID = b"x-request-id"
_REQUEST_ID_FORM = re.compile(rb"[\x21-\x7e]{1,128}")


class ScoringShortcut:
    """Where a replica's HTTP server finds the scoring application of its process.

    Ray's wrapper around a request (its context, counters, tasks and header look-ups) takes a third
    of an ingress replica's time: see `docs/adr/0004-serving-path.md`.
    """

    def __init__(self) -> None:
        self.app: AsgiApp | None = None


SHORTCUT = ScoringShortcut()
"""One for the process: a replica is a process, and Ray makes the middleware without arguments."""


def middlewares() -> list[Middleware]:
    """What Ray wraps around each replica's HTTP server."""
    return [Middleware(Ingress, shortcut=SHORTCUT)]


class Ingress:
    """Gives each request an id, and scoring requests to the scoring application at once.

    The client's id is taken when it is visible ASCII of at most 128 characters, else it is a new
    one. Every other route goes on through Ray.
    """

    def __init__(self, app: AsgiApp, shortcut: ScoringShortcut) -> None:
        self._app = app
        self._shortcut = shortcut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _settle_request_id(scope)
        if self._shortcut.app is None or not is_scoring(scope):
            await self._app(scope, receive, send)
            return

        async def send_with_request_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((_REQUEST_ID, request_id))
            await send(message)

        await self._shortcut.app(scope, receive, send_with_request_id)


def _settle_request_id(scope: Scope) -> bytes:
    """The one request id of the scope's headers from here on."""
    request_id = b""
    headers = []
    for header in scope["headers"]:
        if header[0] == _REQUEST_ID:
            request_id = header[1]
        else:
            headers.append(header)
    if not _REQUEST_ID_FORM.fullmatch(request_id):
        request_id = str(uuid_utils.uuid7()).encode()
    headers.append((_REQUEST_ID, request_id))
    scope["headers"] = headers
    return request_id
