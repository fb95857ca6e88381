"""No request's body is larger than the bound: it is read before the application sees it."""

from __future__ import annotations

from serve.errors import problem_document
from serve.http import AsgiApp, Message, Receive, Scope, Send, read_body
from serve.refusals import Refusal

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
"""No route reads a body that comes with these."""


class BoundedBodies:
    """ASGI middleware: 413 for what is declared larger, or turns out to be."""

    def __init__(self, app: AsgiApp, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await self._app(scope, receive, send)
            return
        try:
            body = await read_body(dict(scope["headers"]), receive, self._bytes_max)
        except Refusal as refusal:
            await _refuse(refusal, scope, send)
            return
        is_read = False

        async def receive_again() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()  # that the client has gone
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_again, send)


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    request_id = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    document = problem_document(refusal, request_id)
    headers = [*document.headers, (b"content-length", str(len(document.body)).encode())]
    await send({"type": "http.response.start", "status": document.status, "headers": headers})
    await send({"type": "http.response.body", "body": document.body})
