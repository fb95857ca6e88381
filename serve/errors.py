"""The one table that turns refusals into RFC 9457 problem documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from serve.refusals import Code, Refusal

PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """How a code looks over HTTP."""

    status: int
    title: str
    retry_after_seconds: int | None = None


PROBLEMS: dict[Code, ProblemKind] = {
    Code.BAD_SIGNATURE: ProblemKind(400, "The signature is wrong or too old"),
    Code.UNAUTHENTICATED: ProblemKind(401, "A valid API key or session is needed"),
    Code.FORBIDDEN: ProblemKind(403, "Not allowed"),
    Code.SCOPE_MISSING: ProblemKind(403, "The key's scopes do not allow it"),
    Code.CROSS_SITE: ProblemKind(403, "The request comes from another site"),
    Code.SIGN_IN_FAILED: ProblemKind(401, "The e-mail or the password is wrong"),
    Code.PASSWORD_WRONG: ProblemKind(403, "The password is wrong"),
    Code.EMAIL_TAKEN: ProblemKind(409, "The e-mail is taken"),
    Code.LINK_EXPIRED: ProblemKind(410, "The link works no longer"),
    Code.TOO_MANY_ATTEMPTS: ProblemKind(429, "Too many attempts", 60),
    Code.CONFIRMATION_NEEDED: ProblemKind(409, "Credits would be forfeited"),
    Code.BALANCE_TOO_LARGE: ProblemKind(409, "The balance would be too large"),
    Code.HOLDS_OPEN: ProblemKind(409, "Credits are held for work under way"),
    Code.LAST_ADMIN: ProblemKind(409, "Nobody else is an admin"),
    Code.NOT_FOUND: ProblemKind(404, "No such thing"),
    Code.INSUFFICIENT_CREDITS: ProblemKind(402, "Not enough credits"),
    Code.SPENDING_CAP_REACHED: ProblemKind(402, "The key's spending cap is reached"),
    Code.MODEL_NOT_FOUND: ProblemKind(404, "No such model"),
    Code.VERSION_NOT_FOUND: ProblemKind(404, "No such version of the model"),
    Code.VERSION_RETIRED: ProblemKind(410, "The version is not served any more"),
    Code.PREDICTION_NOT_FOUND: ProblemKind(404, "No such prediction"),
    Code.ROUTE_NOT_FOUND: ProblemKind(404, "No such route"),
    Code.METHOD_NOT_ALLOWED: ProblemKind(405, "The route does not take this method"),
    Code.NOT_ACCEPTABLE: ProblemKind(406, "The answer has no such form"),
    Code.HOLD_RESOLVED: ProblemKind(409, "The hold was resolved before"),
    Code.HOLD_EXPIRED: ProblemKind(409, "The hold has expired"),
    Code.PAYMENT_MISMATCH: ProblemKind(409, "The payment does not cover the price"),
    Code.KEY_ENDED: ProblemKind(409, "The key was revoked or has expired"),
    Code.KEY_ALREADY_MADE: ProblemKind(409, "The key was made and shown before"),
    Code.ROTATION_UNDER_WAY: ProblemKind(409, "The key is being rotated already"),
    Code.TOO_MANY_KEYS: ProblemKind(409, "The account has too many live keys"),
    Code.PRICE_EXISTS: ProblemKind(409, "There is another price from that moment on"),
    Code.REQUEST_IN_FLIGHT: ProblemKind(409, "A request with this key is still running", 1),
    Code.REFUND_EXCEEDS_CHARGE: ProblemKind(409, "Less than that is left of the charge"),
    Code.NOTHING_TO_REFUND: ProblemKind(409, "Nothing is left to refund"),
    Code.REFUND_REQUEST_OPEN: ProblemKind(409, "A refund of it is asked for already"),
    Code.REFUND_REQUEST_DECIDED: ProblemKind(409, "The refund request was decided before"),
    Code.TOO_MANY_REFUND_REQUESTS: ProblemKind(409, "Too many refund requests are open"),
    Code.ANSWER_EXPIRED: ProblemKind(410, "The stored answer was pruned"),
    Code.BODY_TOO_LARGE: ProblemKind(413, "The body is too large"),
    Code.UNSUPPORTED_MEDIA_TYPE: ProblemKind(415, "The body is neither JSON nor packed rows"),
    Code.INVALID_JSON: ProblemKind(422, "The body is not JSON"),
    Code.INVALID_REQUEST: ProblemKind(422, "The request is not valid"),
    Code.REPORT_TOO_LARGE: ProblemKind(422, "The report would be too large"),
    Code.EXPLANATION_UNSUPPORTED: ProblemKind(422, "The model cannot explain its predictions"),
    Code.INVALID_IDEMPOTENCY_KEY: ProblemKind(422, "The Idempotency-Key is malformed"),
    Code.IDEMPOTENCY_KEY_CONFLICT: ProblemKind(422, "The key was used with another body"),
    Code.TOO_MANY_ALERTS: ProblemKind(409, "The account has as many alerts as it may"),
    Code.QUEUE_FULL: ProblemKind(429, "The server is at its limit", 1),
    Code.ACCOUNT_QUEUE_FULL: ProblemKind(429, "The account has too much waiting", 1),
    Code.EXPORT_LIMIT_REACHED: ProblemKind(429, "Too many exports at once", 10),
    Code.PREDICTION_FAILED: ProblemKind(500, "The model failed on this input"),
    Code.INTERNAL_ERROR: ProblemKind(500, "Something went wrong on the server"),
    Code.PRICE_MISSING: ProblemKind(503, "The model has no price", 60),
    Code.LEDGER_UNAVAILABLE: ProblemKind(503, "The ledger is out of reach", 2),
    Code.PROVIDER_UNAVAILABLE: ProblemKind(503, "The payment provider is out of reach", 5),
    Code.CONTROLLER_UNAVAILABLE: ProblemKind(503, "The cluster's controller is out of reach", 5),
    Code.SCORER_UNAVAILABLE: ProblemKind(503, "The model is out of reach", 2),
    Code.MODEL_UNAVAILABLE: ProblemKind(503, "The model cannot be loaded", 5),
    Code.DEADLINE_EXCEEDED: ProblemKind(503, "The server did not finish in time", 1),
}


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """A refusal, ready for the wire."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def problem_members(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """The members of the problem document, in the order a person reads them."""
    kind = PROBLEMS[refusal.code]
    members: dict[str, Any] = {
        "type": f"urn:farebox:problem:{refusal.code}",
        "title": kind.title,
        "status": kind.status,
        "code": str(refusal.code),
        "detail": refusal.detail,
        **refusal.members,
        "request_id": request_id,
    }
    if refusal.faults:
        members["errors"] = [
            {"pointer": fault.pointer, "detail": fault.detail} for fault in refusal.faults
        ]
    return members


def problem_document(refusal: Refusal, request_id: str) -> ProblemDocument:
    """Status, headers and body by RFC 9457; `Retry-After` where waiting helps."""
    kind = PROBLEMS[refusal.code]
    headers = [(b"content-type", PROBLEM_MEDIA_TYPE.encode())]
    retry_after_seconds = refusal.members.get("retry_after_seconds", kind.retry_after_seconds)
    if retry_after_seconds is not None:
        headers.append((b"retry-after", str(retry_after_seconds).encode()))
    if kind.status == 401:  # noqa: PLR2004 - RFC 9110 wants the challenge with a 401
        headers.append((b"www-authenticate", b'Bearer realm="farebox"'))
    if refusal.code is Code.BODY_TOO_LARGE:
        headers.append((b"connection", b"close"))
    return ProblemDocument(
        kind.status, tuple(headers), orjson.dumps(problem_members(refusal, request_id))
    )
