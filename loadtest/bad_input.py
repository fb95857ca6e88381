"""Requests that must be refused: what is wrong with each, and the problem document it must get."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.crowd import MODEL

PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class BadRequest:
    """A body, and the status, code and JSON pointers of its refusal."""

    body: bytes
    status: int
    code: str
    pointers: tuple[str, ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that should be a refusal."""

    status: int
    media_type: str
    body: bytes


def make_bad_requests(features: Sequence[str]) -> list[BadRequest]:
    """One for each way in which clients get it wrong."""
    count, known = len(features), features[0]
    zeros = [0] * count

    def with_instances(instances: object, *pointers: str) -> BadRequest:
        body = json.dumps({"model": MODEL, "instances": instances}).encode()
        return BadRequest(body, 422, "invalid_request", pointers)

    return [
        with_instances([[known, "NO_SUCH_FEATURE"]], "/instances/0/1"),
        with_instances([zeros, zeros[1:]], "/instances/1"),
        with_instances([[2, *zeros[1:]]], "/instances/0/0"),
        with_instances([{known: "yes"}], f"/instances/0/{known}"),
        with_instances([[known, "NO_SUCH", "NOR_THIS"]], "/instances/0/1", "/instances/0/2"),
        with_instances([], "/instances"),
        with_instances("all", "/instances"),
        BadRequest(b'{"model": ', 422, "invalid_json", ("",)),
        BadRequest(
            json.dumps({"model": "no-such-model", "instances": [zeros]}).encode(),
            404,
            "model_not_found",
        ),
        BadRequest(
            json.dumps({"model": MODEL, "instances": [zeros]}).encode(),
            415,
            "unsupported_media_type",
            media_type="text/plain",
        ),
    ]


def refusal_fault(wanted: BadRequest, got: Refused) -> str | None:
    """None where the refusal is the right one, else what is wrong with it."""
    if got.status != wanted.status:
        return f"bad input got status {got.status} in place of {wanted.status} {wanted.code}"
    if not got.media_type.startswith(PROBLEM_MEDIA_TYPE):
        return f"a refusal of type {got.media_type!r}"
    try:
        problem = json.loads(got.body)
    except ValueError:
        return "a refusal that is not JSON"
    return _problem_fault(wanted, problem)


def _problem_fault(wanted: BadRequest, problem: object) -> str | None:
    if not isinstance(problem, dict) or problem.get("code") != wanted.code:
        return f"a refusal without the code {wanted.code}: {problem}"
    pointers = tuple(fault.get("pointer") for fault in problem.get("errors", []))
    if pointers != wanted.pointers:
        return f"{wanted.code} points at {pointers} in place of {wanted.pointers}"
    return None if problem.get("request_id") else f"{wanted.code} without a request_id"
