"""Refusals in the protocol's own forms: `{"error": "..."}` over REST, a status over gRPC.

Both say our stable code: it begins the text, and stands by itself beside it.
"""

from __future__ import annotations

import grpc
import orjson

from serve.errors import PROBLEMS, ProblemDocument, problem_document
from serve.refusals import Code, Refusal

CODE = "farebox-code"
"""The header, and the trailing metadata, that says our code by itself."""

PREFIX = "/v2"
"""What every path of the protocol begins with."""

_STATUS_OF_HTTP = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    402: grpc.StatusCode.RESOURCE_EXHAUSTED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    405: grpc.StatusCode.UNIMPLEMENTED,
    406: grpc.StatusCode.INVALID_ARGUMENT,
    409: grpc.StatusCode.ABORTED,
    410: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}

_STATUS_OF_CODE = {
    # The request is well-formed: what went before forbids it.
    Code.IDEMPOTENCY_KEY_CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    Code.VERSION_RETIRED: grpc.StatusCode.NOT_FOUND,
    # To wait is of no use until somebody sets a price.
    Code.PRICE_MISSING: grpc.StatusCode.FAILED_PRECONDITION,
    Code.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
}


def is_of_protocol(path: str) -> bool:
    """Whether the protocol says what errors at this path look like."""
    return path == PREFIX or path.startswith(PREFIX + "/")


def error_text(refusal: Refusal) -> str:
    """The sentence that both transports say."""
    return f"{refusal.code}: {refusal.detail}"


def error_document(refusal: Refusal, request_id: str) -> ProblemDocument:
    """The problem document's status and headers, with the protocol's body."""
    problem = problem_document(refusal, request_id)
    headers = [header for header in problem.headers if header[0] != b"content-type"]
    return ProblemDocument(
        problem.status,
        (
            (b"content-type", b"application/json"),
            *headers,
            (CODE.encode(), str(refusal.code).encode()),
        ),
        orjson.dumps({"error": error_text(refusal)}),
    )


def status_of(refusal: Refusal) -> grpc.StatusCode:
    """What the refusal is over gRPC."""
    special = _STATUS_OF_CODE.get(refusal.code)
    return special or _STATUS_OF_HTTP[PROBLEMS[refusal.code].status]


def retry_after_seconds(refusal: Refusal) -> int | None:
    """After how long it helps to ask again; None: it does not."""
    return PROBLEMS[refusal.code].retry_after_seconds
