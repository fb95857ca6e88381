"""What stands around a replica's HTTP server, outside Ray's own request wrapper.

Ray calls `middlewares` by `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`, in every process that is
about to serve HTTP: the hook that is there is used to name the protocol as well.
"""

from __future__ import annotations

from starlette.middleware import Middleware
from uvicorn.config import HTTP_PROTOCOLS

from serve.grpc_address import listen_as_lanes
from serve.http import AsgiApp, Message, Receive, Scope, Send, is_scoring, settle_request_id
from serve.scoring_protocol import SHORTCUT, ScoringShortcut

_REQUEST_ID = b"x-request-id"
_PROTOCOL = "serve.scoring_protocol:ScoringProtocol"


def middlewares() -> list[Middleware]:
    """What Ray wraps around each replica's HTTP server, whose protocol is ours from now on.

    Ray makes uvicorn's configuration itself and leaves the protocol to `auto`, so that is the name
    to change. See `docs/adr/0004-serving-path.md`. It asks here before it starts a gRPC server.
    """
    listen_as_lanes()
    HTTP_PROTOCOLS["auto"] = _PROTOCOL
    return [Middleware(Ingress, shortcut=SHORTCUT)]


class Ingress:
    """Gives each ASGI request an id, and scoring requests to the scoring application at once.

    Every other route goes on through Ray.
    """

    def __init__(self, app: AsgiApp, shortcut: ScoringShortcut) -> None:
        self._app = app
        self._shortcut = shortcut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _settle_scope(scope)
        if self._shortcut.app is None or not is_scoring(scope):
            await self._app(scope, receive, send)
            return

        async def send_with_request_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((_REQUEST_ID, request_id))
            await send(message)

        await self._shortcut.app(scope, receive, send_with_request_id)


def _settle_scope(scope: Scope) -> bytes:
    """The one request id of the scope's headers from here on."""
    sent = None
    headers = []
    for header in scope["headers"]:
        if header[0] == _REQUEST_ID:
            sent = header[1]
        else:
            headers.append(header)
    request_id = settle_request_id(sent)
    headers.append((_REQUEST_ID, request_id))
    scope["headers"] = headers
    return request_id
