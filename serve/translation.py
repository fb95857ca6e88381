"""Turns errors of the packages below into refusals, so that no other file needs to know both."""

from __future__ import annotations

from billing.alerts.errors import AlertMissing, AlertsTooMany
from billing.api_keys.errors import (
    KeyAlreadyMade,
    KeyEnded,
    KeyMissing,
    RotationUnderWay,
    TooManyKeys,
)
from billing.errors import (
    AccountMissing,
    BillingError,
    CreditsMissing,
    IdempotencyConflict,
    LedgerBusy,
    LedgerUnavailable,
    OutcomeUnknown,
    PriceExists,
    PriceMissing,
)
from billing.holds.errors import CaptureTooLarge, HoldExpired, HoldMissing, HoldResolved
from billing.reports.errors import ReportTooLarge
from billing.top_ups.errors import BadSignature, PaymentMismatch, ProviderUnavailable
from models.errors import ModelError, UnknownModel, UnknownVersion
from serve.refusals import Code, Refusal

_CREDITS_MISSING = "The account has fewer credits than this takes; nothing was done."

_BILLING: dict[type[BillingError], tuple[Code, str]] = {
    LedgerUnavailable: (
        Code.LEDGER_UNAVAILABLE,
        "The ledger cannot be reached right now; nothing was charged. Send the request again.",
    ),
    AccountMissing: (Code.NOT_FOUND, "There is no such account."),
    IdempotencyConflict: (
        Code.IDEMPOTENCY_KEY_CONFLICT,
        "This Idempotency-Key was used with another body; use a new key for a new request.",
    ),
    CreditsMissing: (Code.INSUFFICIENT_CREDITS, _CREDITS_MISSING),
    BadSignature: (
        Code.BAD_SIGNATURE,
        "The webhook's signature is missing, wrong or too old; nothing happened.",
    ),
    PaymentMismatch: (
        Code.PAYMENT_MISMATCH,
        "Less than the top-up's price was paid; nothing was credited.",
    ),
    ProviderUnavailable: (
        Code.PROVIDER_UNAVAILABLE,
        (
            "The payment provider cannot be used right now; nothing was paid. Send the request "
            "again with the same Idempotency-Key."
        ),
    ),
    HoldResolved: (
        Code.HOLD_RESOLVED,
        "The hold was captured or released before, not as asked now; nothing was done.",
    ),
    HoldExpired: (Code.HOLD_EXPIRED, "The hold's time is over; its credits are given back."),
    HoldMissing: (Code.NOT_FOUND, "There is no such hold."),
    CaptureTooLarge: (
        Code.INVALID_REQUEST,
        "No more can be captured than is held; nothing was done.",
    ),
    ReportTooLarge: (
        Code.REPORT_TOO_LARGE,
        "More rows than one answer may have: take a shorter time, longer periods or fewer groups.",
    ),
    AlertMissing: (Code.NOT_FOUND, "There is no such alert."),
    AlertsTooMany: (
        Code.TOO_MANY_ALERTS,
        "The account has as many alerts as it may; delete one first.",
    ),
    KeyMissing: (Code.NOT_FOUND, "The account has no such key."),
    KeyEnded: (
        Code.KEY_ENDED,
        "This key was revoked or has expired; what has ended stays so. Make a new key.",
    ),
    KeyAlreadyMade: (
        Code.KEY_ALREADY_MADE,
        (
            "An earlier request with this Idempotency-Key made a key, and its secret was shown in "
            "that answer alone. If the answer was lost, revoke that key and make another."
        ),
    ),
    RotationUnderWay: (
        Code.ROTATION_UNDER_WAY,
        "This key was rotated and both keys are live; revoke one of them first.",
    ),
    TooManyKeys: (Code.TOO_MANY_KEYS, "Revoke a key that is not used any more first."),
    PriceMissing: (
        Code.PRICE_MISSING,
        "No price is in effect for this model, so it cannot be scored now; nothing was charged.",
    ),
    PriceExists: (
        Code.PRICE_EXISTS,
        "Another price takes effect at that very moment, and prices are never changed.",
    ),
    LedgerBusy: (
        Code.QUEUE_FULL,
        "Too many charges are waiting; nothing was charged. Send the request again shortly.",
    ),
    OutcomeUnknown: (
        Code.LEDGER_UNAVAILABLE,
        (
            "The ledger was lost during this charge, so it may or may not have been made. Send the "
            "request again with the Idempotency-Key of this answer: it is charged once at most."
        ),
    ),
}


def refusal_of(error: BillingError | ModelError) -> Refusal:
    """The refusal that a client gets for `error`."""
    if isinstance(error, BillingError):
        code, detail = _BILLING.get(
            type(error), (Code.INTERNAL_ERROR, "Billing failed; nothing was charged.")
        )
        return Refusal(code, detail)
    if isinstance(error, UnknownModel):
        return Refusal(Code.MODEL_NOT_FOUND, str(error))
    if isinstance(error, UnknownVersion):
        return Refusal(Code.VERSION_NOT_FOUND, str(error))
    return Refusal(Code.PREDICTION_FAILED, "The model could not be used; nothing was charged.")
