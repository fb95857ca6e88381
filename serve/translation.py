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
    BalanceTooLarge,
    BillingError,
    CreditsMissing,
    IdempotencyConflict,
    LedgerBusy,
    LedgerUnavailable,
    OutcomeUnknown,
    PriceExists,
    PriceMissing,
)
from billing.grants.errors import AdjustmentMissing, EntryMissing, GrantMissing
from billing.holds.errors import CaptureTooLarge, HoldExpired, HoldMissing, HoldResolved
from billing.refund_requests.errors import (
    PredictionFree,
    PredictionRefunded,
    RequestDecided,
    RequestMissing,
    RequestOpen,
    RequestsTooMany,
)
from billing.refund_requests.values import RefundRequest
from billing.refunds.errors import PredictionMissing, RefundExceedsCharge, RefundMissing
from billing.reports.errors import ReportTooLarge
from billing.top_ups.errors import BadSignature, PaymentMismatch, ProviderUnavailable
from billing.users.errors import (
    ConfirmationNeeded,
    EmailTaken,
    HoldsOpen,
    LastAdmin,
    LinkExpired,
    PasswordsBusy,
    PasswordUnfit,
    PasswordWrong,
    SignInFailed,
    UserMissing,
)
from models.errors import ModelError, UnknownModel, UnknownVersion, VersionRetired
from serve.refusals import Code, Refusal

_CREDITS_MISSING = "The account has fewer credits than this takes; nothing was done."

_BILLING: dict[type[BillingError], tuple[Code, str]] = {
    LedgerUnavailable: (
        Code.LEDGER_UNAVAILABLE,
        "The ledger cannot be reached right now; nothing was charged. Send the request again.",
    ),
    AccountMissing: (Code.NOT_FOUND, "There is no such account."),
    GrantMissing: (Code.NOT_FOUND, "There is no such grant."),
    EntryMissing: (Code.NOT_FOUND, "There is no such entry."),
    AdjustmentMissing: (Code.NOT_FOUND, "There is no such adjustment."),
    PredictionMissing: (Code.NOT_FOUND, "There is no such prediction."),
    RefundMissing: (Code.NOT_FOUND, "There is no such refund."),
    RequestMissing: (Code.NOT_FOUND, "There is no such refund request."),
    RequestsTooMany: (
        Code.TOO_MANY_REFUND_REQUESTS,
        "The account has as many open refund requests as it may; wait until some are decided.",
    ),
    PredictionFree: (
        Code.NOTHING_TO_REFUND,
        "The prediction cost nothing, so there is nothing to refund.",
    ),
    PredictionRefunded: (
        Code.NOTHING_TO_REFUND,
        "The prediction was refunded in full; see GET /accounts/v1/predictions/{id}/refunds.",
    ),
    IdempotencyConflict: (
        Code.IDEMPOTENCY_KEY_CONFLICT,
        "This Idempotency-Key was used with another body; use a new key for a new request.",
    ),
    SignInFailed: (Code.SIGN_IN_FAILED, "No user has this e-mail and this password."),
    PasswordWrong: (Code.PASSWORD_WRONG, "This is not the password; nothing was done."),
    PasswordUnfit: (Code.INVALID_REQUEST, "A new password is not the e-mail address."),
    PasswordsBusy: (Code.QUEUE_FULL, "Too many passwords are being checked; try again shortly."),
    EmailTaken: (Code.EMAIL_TAKEN, "A user with this e-mail exists: sign in instead."),
    LinkExpired: (
        Code.LINK_EXPIRED,
        "The link was used before, or is too old; ask for a new one.",
    ),
    UserMissing: (Code.NOT_FOUND, "There is no such user."),
    LastAdmin: (Code.LAST_ADMIN, "Give another user the role `admin` first."),
    BalanceTooLarge: (
        Code.BALANCE_TOO_LARGE,
        "The account would have more credits than can be counted; nothing was done.",
    ),
    HoldsOpen: (
        Code.HOLDS_OPEN,
        "Credits are held for work under way; wait for its end, or release them.",
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
    if isinstance(error, RefundExceedsCharge):
        return Refusal(
            Code.REFUND_EXCEEDS_CHARGE,
            f"{error.left} credits are left to refund of this charge; nothing was given back.",
        )
    if isinstance(error, RequestOpen):
        return Refusal(
            Code.REFUND_REQUEST_OPEN,
            f"The refund request {error.request.id} of this prediction is open; wait until it is "
            "decided.",
        )
    if isinstance(error, RequestDecided):
        return Refusal(Code.REFUND_REQUEST_DECIDED, _decided(error.request))
    if isinstance(error, ConfirmationNeeded):
        return Refusal(
            Code.CONFIRMATION_NEEDED,
            f"{error.available} credits would be lost: send this number as `forfeit_credits`.",
            {"available": str(error.available)},
        )
    if isinstance(error, BillingError):
        code, detail = _BILLING.get(
            type(error), (Code.INTERNAL_ERROR, "Billing failed; nothing was charged.")
        )
        return Refusal(code, detail)
    return _model_refusal(error)


def _decided(request: RefundRequest) -> str:
    """Which decision was first."""
    assert request.decided_at is not None
    refunded = f" with {request.refunded} credits" if request.refunded is not None else ""
    return (
        f"The request was {request.status}{refunded} at {request.decided_at:%Y-%m-%d %H:%M:%S} UTC "
        f"({request.decision_reason}); a decision stands, and nothing was done now."
    )


def _model_refusal(error: ModelError) -> Refusal:
    if isinstance(error, UnknownModel):
        return Refusal(Code.MODEL_NOT_FOUND, str(error))
    if isinstance(error, UnknownVersion):
        return Refusal(Code.VERSION_NOT_FOUND, str(error))
    if isinstance(error, VersionRetired):
        return Refusal(
            Code.VERSION_RETIRED,
            f"{error}. Name one of these, or leave the version out to ask the champion.",
        )
    return Refusal(Code.PREDICTION_FAILED, "The model could not be used; nothing was charged.")
