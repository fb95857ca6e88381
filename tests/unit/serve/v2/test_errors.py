"""Refusals in the forms of the protocol."""

from __future__ import annotations

import grpc
import orjson
import pytest

from serve.errors import PROBLEMS
from serve.refusals import Code, Refusal
from serve.v2.errors import error_document, is_of_protocol, status_of


@pytest.mark.parametrize("code", sorted(Code))
def test_every_code_has_a_status_over_grpc(code: Code) -> None:
    assert status_of(Refusal(code, "")) not in (grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Code.UNAUTHENTICATED, grpc.StatusCode.UNAUTHENTICATED),
        (Code.SCOPE_MISSING, grpc.StatusCode.PERMISSION_DENIED),
        (Code.INSUFFICIENT_CREDITS, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Code.QUEUE_FULL, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Code.INVALID_REQUEST, grpc.StatusCode.INVALID_ARGUMENT),
        (Code.MODEL_NOT_FOUND, grpc.StatusCode.NOT_FOUND),
        (Code.LEDGER_UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
        (Code.IDEMPOTENCY_KEY_CONFLICT, grpc.StatusCode.FAILED_PRECONDITION),
        (Code.REQUEST_IN_FLIGHT, grpc.StatusCode.ABORTED),
        (Code.INTERNAL_ERROR, grpc.StatusCode.INTERNAL),
    ],
)
def test_the_status_says_what_a_client_can_do(code: Code, status: grpc.StatusCode) -> None:
    assert status_of(Refusal(code, "")) is status


@pytest.mark.parametrize("code", sorted(Code))
def test_over_rest_there_is_an_error_and_nothing_else(code: Code) -> None:
    document = error_document(Refusal(code, "Why."), "r")
    assert document.status == PROBLEMS[code].status
    assert orjson.loads(document.body) == {"error": f"{code}: Why."}
    headers = dict(document.headers)
    assert len(headers) == len(document.headers)
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"farebox-code"] == code.encode()
    assert (b"retry-after" in headers) == (PROBLEMS[code].retry_after_seconds is not None)


@pytest.mark.parametrize(
    ("path", "is_its"), [("/v2", True), ("/v2/x", True), ("/v20", False), ("/v1/v2", False)]
)
def test_the_protocols_paths_are_known(path: str, is_its: bool) -> None:
    assert is_of_protocol(path) is is_its
