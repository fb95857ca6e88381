"""Why a request is not answered with a prediction: stable codes, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Stable machine-readable reasons; clients branch on them, so they never change."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    BAD_SIGNATURE = "bad_signature"
    SCOPE_MISSING = "scope_missing"
    CROSS_SITE = "cross_site"
    SIGN_IN_FAILED = "sign_in_failed"
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - not a password
    EMAIL_TAKEN = "email_taken"
    LINK_EXPIRED = "link_expired"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    CONFIRMATION_NEEDED = "confirmation_needed"
    BALANCE_TOO_LARGE = "balance_too_large"
    HOLDS_OPEN = "holds_open"
    LAST_ADMIN = "last_admin"
    NOT_FOUND = "not_found"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    SPENDING_CAP_REACHED = "spending_cap_reached"
    MODEL_NOT_FOUND = "model_not_found"
    VERSION_NOT_FOUND = "version_not_found"
    VERSION_RETIRED = "version_retired"
    PREDICTION_NOT_FOUND = "prediction_not_found"
    ROUTE_NOT_FOUND = "route_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    HOLD_RESOLVED = "hold_resolved"
    HOLD_EXPIRED = "hold_expired"
    PAYMENT_MISMATCH = "payment_mismatch"
    KEY_ENDED = "key_ended"
    KEY_ALREADY_MADE = "key_already_made"
    ROTATION_UNDER_WAY = "rotation_under_way"
    TOO_MANY_KEYS = "too_many_keys"
    PRICE_EXISTS = "price_exists"
    REQUEST_IN_FLIGHT = "request_in_flight"
    REFUND_EXCEEDS_CHARGE = "refund_exceeds_charge"
    NOTHING_TO_REFUND = "nothing_to_refund"
    REFUND_REQUEST_OPEN = "refund_request_open"
    REFUND_REQUEST_DECIDED = "refund_request_decided"
    TOO_MANY_REFUND_REQUESTS = "too_many_refund_requests"
    ANSWER_EXPIRED = "answer_expired"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INVALID_JSON = "invalid_json"
    INVALID_REQUEST = "invalid_request"
    REPORT_TOO_LARGE = "report_too_large"
    EXPLANATION_UNSUPPORTED = "explanation_unsupported"
    NOT_ACCEPTABLE = "not_acceptable"
    INVALID_IDEMPOTENCY_KEY = "invalid_idempotency_key"
    IDEMPOTENCY_KEY_CONFLICT = "idempotency_key_conflict"
    TOO_MANY_ALERTS = "too_many_alerts"
    QUEUE_FULL = "queue_full"
    ACCOUNT_QUEUE_FULL = "account_queue_full"
    EXPORT_LIMIT_REACHED = "export_limit_reached"
    PREDICTION_FAILED = "prediction_failed"
    INTERNAL_ERROR = "internal_error"
    PRICE_MISSING = "price_missing"
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    CONTROLLER_UNAVAILABLE = "controller_unavailable"
    SCORER_UNAVAILABLE = "scorer_unavailable"
    MODEL_UNAVAILABLE = "model_unavailable"
    DEADLINE_EXCEEDED = "deadline_exceeded"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request body. `pointer` is a JSON pointer (RFC 6901) into it."""

    pointer: str
    detail: str


class Refusal(Exception):
    """A request is refused: nothing is charged by it. Positional arguments, so that it pickles."""

    def __init__(
        self,
        code: Code,
        detail: str,
        members: Mapping[str, Any] | None = None,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        super().__init__(code, detail, members, faults)
        self.code = code
        self.detail = detail
        self.members = dict(members or {})
        self.faults = faults
