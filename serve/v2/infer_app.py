"""The infer routes over REST: what is read of a request, and what it is answered.

The same shape as the scoring route's `ScoringApp`, so that both go the same short ways.
"""

from __future__ import annotations

import re
from time import perf_counter

import structlog

from serve.errors import ProblemDocument
from serve.http import (
    Headers,
    Request,
    RequestObserver,
    Response,
    check_content_encoding,
    unexpected,
)
from serve.pipeline import Answer, Pipeline
from serve.refusals import Code, Refusal
from serve.v2.answers import answer_outputs, answer_parameters
from serve.v2.bodies import read_json_bytes, read_request, write_answer
from serve.v2.call import Asked, TensorCall
from serve.v2.errors import error_document

_JSON = b"application/json"
_BINARY = b"application/octet-stream"
_HEADER_LENGTH = b"inference-header-content-length"
_PATH = re.compile(r"/v2/models/([^/?]+)(?:/versions/([^/?]+))?/infer")

logger = structlog.get_logger(__name__)


class InferApp:
    """Answers `POST /v2/models/NAME[/versions/VERSION]/infer` by the pipeline."""

    def __init__(self, pipeline: Pipeline, observer: RequestObserver) -> None:
        self._pipeline = pipeline
        self._observer = observer

    @property
    def body_bytes_max(self) -> int:
        """The largest body that is read."""
        return self._pipeline.batcher.config.body_bytes_max

    @property
    def is_full(self) -> bool:
        """Whether a request would be refused whatever is in it."""
        return self._pipeline.batcher.is_full

    async def respond(self, request: Request) -> Response:
        """Answer an infer request whose body has been read; never raises."""
        call = _read_call(request)
        try:
            answer = await self._pipeline.score(call)
            response = _respond_paid(call, answer)
        except Refusal as refusal:
            return self._refuse(request, refusal, call.used_key.text)
        except Exception:
            logger.exception("request_failed", request_id=call.request_id)
            return self._refuse(request, unexpected(), call.used_key.text)
        self._observer.request_ended(
            "replayed" if answer.replayed else "charged", perf_counter() - request.began_seconds
        )
        return response

    def refuse(self, request: Request, refusal: Refusal) -> Response:
        """The protocol's error for a request that is not read further, counted."""
        return self._refuse(request, refusal, _read_call(request).used_key.text)

    def _refuse(self, request: Request, refusal: Refusal, used_key: str) -> Response:
        self._observer.request_ended(refusal.code, perf_counter() - request.began_seconds)
        document: ProblemDocument = error_document(refusal, request.request_id.decode("latin-1"))
        headers = [*document.headers, (b"idempotency-key", used_key.encode("latin-1"))]
        return Response(document.status, headers, document.body)


def _read_call(request: Request) -> TensorCall:
    headers = request.headers
    match = _PATH.fullmatch(request.path)
    model, version = match.groups() if match else ("", None)
    return TensorCall(
        authorization=_text(headers, b"authorization"),
        request_id=request.request_id.decode("latin-1"),
        model=model,
        version=version,
        sent_key=_text(headers, b"idempotency-key"),
        read=lambda: _read_body(headers, request.body, model, version),
    )


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _read_body(headers: Headers, body: bytes, model: str, version: str | None) -> Asked:
    """Clients say `application/json`, with bytes `application/octet-stream`, or nothing at all."""
    media_type = headers.get(b"content-type", _JSON).split(b";")[0].strip().lower()
    if media_type not in (_JSON, _BINARY):
        raise Refusal(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "Send JSON as `application/json`, or JSON and bytes as `application/octet-stream` "
            "with the header `Inference-Header-Content-Length`.",
        )
    check_content_encoding(headers)
    json_bytes = read_json_bytes(headers.get(_HEADER_LENGTH), len(body))
    return read_request(body, json_bytes, model, version)


def _respond_paid(call: TensorCall, answer: Answer) -> Response:
    asked, stored = call.asked, answer.stored
    members = {"model_name": stored.model, "model_version": stored.version}
    if asked.id is not None:
        members["id"] = asked.id
    body, json_bytes = write_answer(
        {**members, "parameters": answer_parameters(answer)}, answer_outputs(asked, answer)
    )
    headers = [
        (b"content-type", _JSON if json_bytes is None else _BINARY),
        (b"idempotency-key", call.used_key.text.encode("latin-1")),
    ]
    if json_bytes is not None:
        headers.append((_HEADER_LENGTH, str(json_bytes).encode()))
    if answer.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return Response(200, headers, body)
