"""Middleware around a replica's HTTP server, outside Ray's own request wrapper.

Ray calls `middlewares` by `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`.
"""

from __future__ import annotations

import re

import uuid_utils
from starlette.middleware import Middleware

from serve.http import AsgiApp, Receive, Scope, Send

_REQUEST_ID = b"x-request-id"
_REQUEST_ID_FORM = re.compile(rb"[\x21-\x7e]{1,128}")
_DISCONNECT_DISABLED = b"x-request-disconnect-disabled"


def middlewares() -> list[Middleware]:
    """What Ray wraps around each replica's HTTP server."""
    return [Middleware(IngressHeaders)]


class IngressHeaders:
    """Sets the two headers that Ray's request wrapper reads.

    A client that goes away does not stop its request: it may be charged already, and its answer is
    stored for a retry. So Ray need not watch for it, which spares two tasks a request.

    The client's request id is taken when it is visible ASCII of at most 128 characters, else it is
    a new one; Ray's own way to make one takes ten times as long.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = _with_ingress_headers(scope["headers"])
        await self._app(scope, receive, send)


def _with_ingress_headers(sent: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    request_id = b""
    headers = []
    for header in sent:
        if header[0] == _REQUEST_ID:
            request_id = header[1]
        elif header[0] != _DISCONNECT_DISABLED:
            headers.append(header)
    if not _REQUEST_ID_FORM.fullmatch(request_id):
        request_id = str(uuid_utils.uuid7()).encode()
    headers.append((_REQUEST_ID, request_id))
    headers.append((_DISCONNECT_DISABLED, b"?1"))
    return headers
