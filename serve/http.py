"""The scoring route over HTTP: what is read of a request, and what it is answered.

FastAPI's middleware, routing and dependencies cost about a third of an ingress replica's time;
everything but `POST /v1/predictions` can afford them and is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import structlog
import uuid_utils
from fastapi import FastAPI
from starlette.routing import Route

from serve.errors import problem_document
from serve.idempotency import IdempotencyKey
from serve.packed_input import Layout
from serve.pipeline import ROUTE, Answer, Call, Pipeline
from serve.predictions import predictions_json, predictions_packed
from serve.refusals import Code, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = dict[bytes, bytes]

PACKED_MEDIA_TYPE = b"application/octet-stream"
_JSON = b"application/json"
_REQUEST_ID_FORM = re.compile(rb"[\x21-\x7e]{1,128}")

logger = structlog.get_logger(__name__)


class RequestObserver(Protocol):
    """Counts how requests end, and after how long."""

    def request_ended(self, outcome: str, seconds: float) -> None: ...


@dataclass(slots=True)
class Request:
    """What is read of a scoring request; header names in lower case."""

    headers: Headers
    query: bytes
    body: bytes
    request_id: bytes
    path: str = ROUTE
    began_seconds: float = field(default_factory=perf_counter)


class Response(NamedTuple):
    """What is written of its answer, `content-length` left to whoever writes it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answerer(Protocol):
    """Answers the requests to score of one protocol."""

    @property
    def body_bytes_max(self) -> int: ...
    @property
    def is_full(self) -> bool: ...
    async def respond(self, request: Request) -> Response: ...
    def refuse(self, request: Request, refusal: Refusal) -> Response: ...


def is_infer(path: str) -> bool:
    """Whether this is an infer route of the Open Inference Protocol."""
    return path.startswith("/v2/models/") and path.endswith("/infer")


def is_scoring(scope: Scope) -> bool:
    """Whether this is a request to score; the routes' other methods are not."""
    path = scope["path"]
    return (path == ROUTE or is_infer(path)) and scope["method"] == "POST"


def settle_request_id(sent: bytes | None) -> bytes:
    """The client's id where it is visible ASCII of at most 128 characters, else a new one."""
    if sent is not None and _REQUEST_ID_FORM.fullmatch(sent):
        return sent
    return str(uuid_utils.uuid7()).encode()


class ScoringApp:
    """Answers the scoring route by the pipeline, and passes all else on."""

    def __init__(
        self, pipeline: Pipeline, api: FastAPI, observer: RequestObserver, infer: Answerer
    ) -> None:
        self._pipeline = pipeline
        self._api = api
        self.infer = infer
        self._observer = observer
        # Ray labels its metrics by route and looks for it here, on every request it sees.
        self.router = api.router
        self.routes = [Route(ROUTE, self._score, methods=["POST"]), *api.routes]

    @property
    def body_bytes_max(self) -> int:
        """The largest body that is read."""
        return self._pipeline.batcher.config.body_bytes_max

    @property
    def is_full(self) -> bool:
        """Whether a request would be refused whatever is in it: then it need not be read."""
        return self._pipeline.batcher.is_full

    async def respond(self, request: Request) -> Response:
        """Answer a scoring request whose body has been read; never raises."""
        key: IdempotencyKey | None = None
        try:
            key = IdempotencyKey.from_header(request.headers.get(b"idempotency-key"))
            call = _read_call(request, key)
            answer = await self._pipeline.score(call)
        except Refusal as refusal:
            return self.refuse(request, refusal, key)
        except Exception:
            logger.exception("request_failed", request_id=request.request_id.decode("latin-1"))
            return self.refuse(request, unexpected(), key)
        self._observer.request_ended(
            "replayed" if answer.replayed else "charged", perf_counter() - request.began_seconds
        )
        return _respond_paid(answer, key, packed=call.answer_packed)

    def refuse(
        self, request: Request, refusal: Refusal, key: IdempotencyKey | None = None
    ) -> Response:
        """The problem document of `refusal`, counted."""
        self._observer.request_ended(refusal.code, perf_counter() - request.began_seconds)
        document = problem_document(refusal, request.request_id.decode("latin-1"))
        used_key = (key or IdempotencyKey.make()).text.encode("latin-1")
        headers = [*document.headers, (b"idempotency-key", used_key)]
        return Response(document.status, headers, document.body)

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
        answerer = self if scope["path"] == ROUTE else self.infer
        await _serve(answerer, scope, receive, send)

    async def _refuse_method(self, scope: Scope, send: Send) -> None:
        refusal = Refusal(Code.METHOD_NOT_ALLOWED, f"{ROUTE} takes POST, not {scope['method']}.")
        response = self.refuse(_request_of(scope), refusal)
        response.headers.append((b"allow", b"POST"))
        await _send(response, send)


async def _serve(answerer: Answerer, scope: Scope, receive: Receive, send: Send) -> None:
    """The way of ASGI: where a replica has no HTTP server of its own, or for odd requests."""
    request = _request_of(scope)
    try:
        request.body = await read_body(request.headers, receive, answerer.body_bytes_max)
    except Refusal as refusal:
        await _send(answerer.refuse(request, refusal), send)
        return
    await _send(await answerer.respond(request), send)


def unexpected() -> Refusal:
    """What a client gets when the server itself is at fault: never a traceback."""
    return Refusal(Code.INTERNAL_ERROR, "An unexpected error; it was logged with this request_id.")


def _request_of(scope: Scope) -> Request:
    headers: Headers = dict(scope["headers"])
    request_id = headers.get(b"x-request-id", b"")
    return Request(headers, scope.get("query_string", b""), b"", request_id, scope["path"])


def _read_call(request: Request, key: IdempotencyKey) -> Call:
    headers = request.headers
    layout = _read_layout(headers)
    authorization = headers.get(b"authorization")
    accept = headers.get(b"accept")
    return Call(
        authorization.decode("latin-1") if authorization else None,
        key,
        request.body,
        request.request_id.decode("latin-1"),
        layout,
        b"" if layout is None else request.query,
        accept is not None and PACKED_MEDIA_TYPE in accept.lower(),
    )


def _read_layout(headers: Headers) -> Layout | None:
    """How the rows stand in the body; None for JSON. Raises a Refusal for any other media type."""
    declared = headers.get(b"content-type", b"")
    if declared != _JSON:
        media_type, *parameters = (part.strip() for part in declared.lower().split(b";"))
        if media_type == PACKED_MEDIA_TYPE:
            check_content_encoding(headers)
            return _layout_of(parameters)
        if media_type != _JSON and not (
            media_type.startswith(b"application/") and media_type.endswith(b"+json")
        ):
            raise Refusal(
                Code.UNSUPPORTED_MEDIA_TYPE,
                "Send JSON with `Content-Type: application/json`, or packed rows with "
                "`application/octet-stream; layout=bits` (or `bytes`).",
            )
    check_content_encoding(headers)
    return None


def check_content_encoding(headers: Headers) -> None:
    """Raise a Refusal for a compressed body: a small one could unpack to gigabytes."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "Send the body without Content-Encoding.")


def _layout_of(parameters: list[bytes]) -> Layout:
    named = dict(parameter.partition(b"=")[::2] for parameter in parameters)
    said = named.get(b"layout", b"").strip(b'"').decode("latin-1")
    try:
        return Layout(said)
    except ValueError:
        raise Refusal(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "Say how the rows are packed: `application/octet-stream; layout=bits`, one bit a "
            "feature with each row padded to whole bytes, or `layout=bytes`, one byte a feature.",
        ) from None


async def read_body(headers: Headers, receive: Receive, bytes_max: int) -> bytes:
    """The whole body; a Refusal with BODY_TOO_LARGE as soon as it is known to pass `bytes_max`."""
    check_declared_length(headers, bytes_max)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > bytes_max:
            raise too_large(bytes_max)
        return body
    return await _read_chunks(message, receive, bytes_max)


async def _read_chunks(message: Message, receive: Receive, bytes_max: int) -> bytes:
    chunks = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise Refusal(Code.INVALID_JSON, "The connection was closed before the body ended.")
        chunks += message.get("body", b"")
        if len(chunks) > bytes_max:
            raise too_large(bytes_max)
        if not message.get("more_body"):
            return bytes(chunks)
        message = await receive()


def check_declared_length(headers: Headers, bytes_max: int) -> None:
    """Raise a Refusal with BODY_TOO_LARGE where the header says so, before the body is read."""
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > bytes_max:
        raise too_large(bytes_max)


def too_large(bytes_max: int) -> Refusal:
    """What a body past the bound is answered."""
    return Refusal(
        Code.BODY_TOO_LARGE, f"The body may have at most {bytes_max} bytes; split the request."
    )


def _respond_paid(answer: Answer, key: IdempotencyKey, *, packed: bool) -> Response:
    used_key = key.text.encode("latin-1")
    if packed:
        response = Response(200, _packed_headers(answer, used_key), packed_body(answer))
    else:
        headers = [(b"content-type", _JSON), (b"idempotency-key", used_key)]
        response = Response(200, headers, answer_body(answer))
    if answer.replayed:
        response.headers.append((b"idempotency-replayed", b"true"))
    return response


def packed_body(answer: Answer) -> bytes:
    """The probabilities as little-endian float64."""
    return predictions_packed(answer.stored.predictions)


def _packed_headers(answer: Answer, used_key: bytes) -> list[tuple[bytes, bytes]]:
    """What the JSON says beside the predictions."""
    stored = answer.stored
    said = {
        b"farebox-prediction-id": stored.charge_id,
        b"farebox-model": stored.model,
        b"farebox-version": stored.version,
        b"farebox-credits-charged": stored.amount,
        b"farebox-credits-balance": answer.balance,
    }
    return [
        (b"content-type", PACKED_MEDIA_TYPE),
        (b"idempotency-key", used_key),
        *((name, str(value).encode()) for name, value in said.items()),
    ]


def answer_body(answer: Answer) -> bytes:
    """The JSON of a paid answer."""
    stored = answer.stored
    return b"".join(
        (
            f'{{"id":"{stored.charge_id}","model":"{stored.model}"'
            f',"version":"{stored.version}","predictions":'.encode(),
            predictions_json(stored.predictions),
            f',"credits_charged":"{stored.amount}","credits_balance":"{answer.balance}"}}'.encode(),
        )
    )


async def _send(response: Response, send: Send) -> None:
    headers = [*response.headers, (b"content-length", str(len(response.body)).encode())]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


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
