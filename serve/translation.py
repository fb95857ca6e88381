"""Turns errors of the packages below into refusals, so that no other file needs to know both."""

from __future__ import annotations

from billing.errors import (
    AccountMissing,
    BillingError,
    CreditsMissing,
    IdempotencyConflict,
    LedgerBusy,
    LedgerUnavailable,
    OutcomeUnknown,
)
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
    HoldsOpen: (
        Code.HOLDS_OPEN,
        "Credits are held for work under way; wait for its end, or release them.",
    ),
    CreditsMissing: (Code.INSUFFICIENT_CREDITS, _CREDITS_MISSING),
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
    if isinstance(error, UnknownModel):
        return Refusal(Code.MODEL_NOT_FOUND, str(error))
    if isinstance(error, UnknownVersion):
        return Refusal(Code.VERSION_NOT_FOUND, str(error))
    return Refusal(Code.PREDICTION_FAILED, "The model could not be used; nothing was charged.")
