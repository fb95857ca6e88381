"""A small ASGI application in front of FastAPI: it answers the scoring route itself.

FastAPI's middleware, routing and dependencies cost about a third of an ingress replica's time;
everything but `POST /v1/predictions` can afford them and is passed on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any, Protocol

import structlog
from fastapi import FastAPI
from starlette.routing import Route

from serve.errors import problem_document
from serve.idempotency import IdempotencyKey
from serve.pipeline import ROUTE, Answer, Call, Pipeline
from serve.refusals import Code, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = dict[bytes, bytes]

logger = structlog.get_logger(__name__)


class RequestObserver(Protocol):
    """Counts how requests end, and after how long."""

    def request_ended(self, outcome: str, seconds: float) -> None: ...


def is_scoring(scope: Scope) -> bool:
    """Whether this is a request to score; the route's other methods are not."""
    return bool(scope["path"] == ROUTE and scope["method"] == "POST")


class ScoringApp:
    """Answers the scoring route by the pipeline, passes all else to `api`."""

    def __init__(self, pipeline: Pipeline, api: FastAPI, observer: RequestObserver) -> None:
        self._pipeline = pipeline
        self._api = api
        self._observer = observer
        # Ray labels its metrics by route and looks for it here, on every request it sees.
        self.router = api.router
        self.routes = [Route(ROUTE, self._score, methods=["POST"]), *api.routes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._api(scope, receive, send)
        elif is_scoring(scope):
            await self._score(scope, receive, send)
        elif scope["path"] == ROUTE:
            await self._refuse_method(scope, send)
        else:
            await self._api(scope, receive, _with_idempotency_key(scope, send))

    async def _score(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_seconds = perf_counter()
        headers: Headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id", b"").decode("latin-1")
        key: IdempotencyKey | None = None
        try:
            key = IdempotencyKey.from_header(headers.get(b"idempotency-key"))
            _check_media_type(headers)
            body = await read_body(headers, receive, self._pipeline.batcher.config.body_bytes_max)
            authorization = headers.get(b"authorization")
            call = Call(
                authorization.decode("latin-1") if authorization else None, key, body, request_id
            )
            answer = await self._pipeline.score(call)
        except Refusal as refusal:
            await self._refuse(refusal, key, request_id, began_seconds, send)
        except Exception:
            logger.exception("request_failed", request_id=request_id)
            await self._refuse(unexpected(), key, request_id, began_seconds, send)
        else:
            self._observer.request_ended(
                "replayed" if answer.replayed else "charged", perf_counter() - began_seconds
            )
            await _send_answer(answer, key, send)

    async def _refuse_method(self, scope: Scope, send: Send) -> None:
        refusal = Refusal(Code.METHOD_NOT_ALLOWED, f"{ROUTE} takes POST, not {scope['method']}.")
        request_id = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        await self._refuse(refusal, None, request_id, perf_counter(), send, (b"allow", b"POST"))

    async def _refuse(
        self,
        refusal: Refusal,
        key: IdempotencyKey | None,
        request_id: str,
        began_seconds: float,
        send: Send,
        *more_headers: tuple[bytes, bytes],
    ) -> None:
        self._observer.request_ended(refusal.code, perf_counter() - began_seconds)
        document = problem_document(refusal, request_id)
        used_key = (key or IdempotencyKey.make()).text.encode("latin-1")
        headers = [*document.headers, *more_headers, (b"idempotency-key", used_key)]
        await _send(document.status, headers, document.body, send)


def unexpected() -> Refusal:
    """What a client gets when the server itself is at fault: never a traceback."""
    return Refusal(Code.INTERNAL_ERROR, "An unexpected error; it was logged with this request_id.")


async def read_body(headers: Headers, receive: Receive, bytes_max: int) -> bytes:
    """The whole body; a Refusal with BODY_TOO_LARGE as soon as it is known to pass `bytes_max`."""
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > bytes_max:
        raise _too_large(bytes_max)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        return body
    return await _read_chunks(message, receive, bytes_max)


async def _read_chunks(message: Message, receive: Receive, bytes_max: int) -> bytes:
    chunks = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise Refusal(Code.INVALID_JSON, "The connection was closed before the body ended.")
        chunks += message.get("body", b"")
        if len(chunks) > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body"):
            return bytes(chunks)
        message = await receive()


def _too_large(bytes_max: int) -> Refusal:
    return Refusal(
        Code.BODY_TOO_LARGE, f"The body may have at most {bytes_max} bytes; split the request."
    )


def _check_media_type(headers: Headers) -> None:
    media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if media_type != b"application/json" and not (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    ):
        raise Refusal(
            Code.UNSUPPORTED_MEDIA_TYPE, "Send JSON with `Content-Type: application/json`."
        )
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "Send the body without Content-Encoding.")


async def _send_answer(answer: Answer, key: IdempotencyKey, send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"idempotency-key", key.text.encode("latin-1")),
    ]
    if answer.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    await _send(200, headers, answer_body(answer), send)


def answer_body(answer: Answer) -> bytes:
    """The JSON of a paid answer; the predictions go out byte for byte as they were stored."""
    stored = answer.stored
    return b"".join(
        (
            f'{{"id":"{stored.charge_id}","model":"{stored.model}"'.encode(),
            f',"version":"{stored.version}","predictions":'.encode(),
            stored.predictions,
            f',"credits_charged":"{stored.amount}"'.encode(),
            f',"credits_balance":"{answer.balance}"}}'.encode(),
        )
    )


async def _send(status: int, headers: list[tuple[bytes, bytes]], body: bytes, send: Send) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_idempotency_key(scope: Scope, send: Send) -> Send:
    """Every answer names the key that a retry can use, those of the read routes too."""
    sent = dict(scope["headers"]).get(b"idempotency-key")
    try:
        key = IdempotencyKey.from_header(sent)
    except Refusal:
        key = IdempotencyKey.make()

    async def send_with_key(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message.get("headers", []),
                (b"idempotency-key", key.text.encode("latin-1")),
            ]
        await send(message)

    return send_with_key
