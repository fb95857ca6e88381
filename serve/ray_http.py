"""Middleware around a replica's HTTP server, outside Ray's own request wrapper.

Ray calls `middlewares` by `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`.
"""

from __future__ import annotations

import re

from starlette.middleware import Middleware

from serve.http import AsgiApp, Receive, Scope, Send

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_NO_DISCONNECT_WATCH = (b"x-request-disconnect-disabled", b"?1")


def middlewares() -> list[Middleware]:
    """What Ray wraps around each replica's HTTP server."""
    return [Middleware(IngressHeaders)]


class IngressHeaders:
    """Sets the headers that Ray's request wrapper reads.

    A client that goes away does not stop its request: it may be charged already, and its answer is
    stored for a retry. So Ray need not watch for it, which spares two tasks a request. A request id
    that is no visible ASCII of at most 128 characters is dropped; Ray then makes one.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [
                *(header for header in scope["headers"] if _passes(header)),
                _NO_DISCONNECT_WATCH,
            ]
        await self._app(scope, receive, send)


def _passes(header: tuple[bytes, bytes]) -> bool:
    name, value = header
    if name == b"x-request-id":
        return _REQUEST_ID.fullmatch(value) is not None
    return name != _NO_DISCONNECT_WATCH[0]
