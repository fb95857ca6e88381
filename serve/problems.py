"""Every error of a FastAPI application leaves as a problem document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from billing.errors import BillingError
from serve.errors import problem_document
from serve.http import unexpected
from serve.refusals import Code, Fault, Refusal
from serve.translation import refusal_of
from serve.v2.errors import error_document, is_of_protocol

_FAULTS_MAX = 20


def add_problem_handlers(api: FastAPI) -> None:
    """Have refusals, billing's errors and FastAPI's own answered alike."""
    for error, handler in _HANDLERS.items():
        api.add_exception_handler(error, handler)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _problem(error, request)


async def _billing_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, BillingError)
    return _problem(refusal_of(error), request)


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 405:  # noqa: PLR2004 - the router's word for a wrong method
        refusal = Refusal(Code.METHOD_NOT_ALLOWED, f"{path} does not take {request.method}.")
    elif error.status_code == 400:  # noqa: PLR2004 - FastAPI's word for a body it cannot read
        refusal = Refusal(Code.INVALID_JSON, "The body cannot be read as JSON.")
    else:
        refusal = Refusal(
            Code.ROUTE_NOT_FOUND, f"There is nothing at {path}; see the documentation."
        )
    response = _problem(refusal, request)
    response.headers.update(error.headers or {})
    return response


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(fault) for fault in error.errors()[:_FAULTS_MAX]]
    if faults and error.errors()[0]["type"] == "json_invalid":
        return _problem(Refusal(Code.INVALID_JSON, "The body is not valid JSON."), request)
    refusal = Refusal(
        Code.INVALID_REQUEST, "The request is not as it should be; see `errors`.", None, (*faults,)
    )
    return _problem(refusal, request)


def _fault(fault: dict[str, Any]) -> Fault:
    """A body's fault by its JSON pointer; a parameter's by where it stands and its name."""
    where, *path = fault["loc"]
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    return Fault(pointer if where == "body" else f"{where}{pointer}", str(fault["msg"]))


async def _unexpected(request: Request, error: Exception) -> Response:
    return _problem(unexpected(), request)


_HANDLERS = {
    Refusal: _refused,
    BillingError: _billing_failed,
    HTTPException: _not_routed,
    RequestValidationError: _not_valid,
    Exception: _unexpected,
}


def _problem(refusal: Refusal, request: Request) -> Response:
    write = error_document if is_of_protocol(request.url.path) else problem_document
    document = write(refusal, request.headers.get("x-request-id", ""))
    response = Response(document.body, document.status)
    for name, value in document.headers:
        response.headers[name.decode()] = value.decode()
    return response
