"""What can go wrong in billing that no caller asked for."""


class BillingError(Exception):
    """Base of all errors of this package. `code` is stable; arguments are positional and pickle."""

    code = "billing_error"


class LedgerUnavailable(BillingError):
    """The database cannot be reached or cannot be written: nothing was charged by this call."""

    code = "ledger_unavailable"


class OutcomeUnknown(BillingError):
    """The deadline passed before it was known whether a charge was committed.

    Sending the same charge ids again is always safe.
    """

    code = "outcome_unknown"


class LedgerBusy(BillingError):
    """More charges are waiting than the bound allows: nothing was charged by this call."""

    code = "ledger_busy"


class PriceMissing(BillingError):
    """No price is in effect for a model: nothing can be charged for it."""

    code = "price_missing"


class PriceExists(BillingError):
    """Another price takes effect at that very moment; prices are never changed."""

    code = "price_exists"


class AccountMissing(BillingError):
    """There is no such account."""

    code = "account_missing"


class CreditsMissing(BillingError):
    """The account has fewer credits available than this takes: nothing was done."""

    code = "credits_missing"


class BalanceTooLarge(BillingError):
    """The account would have more credits than can be counted: nothing was done."""

    code = "balance_too_large"


class IdempotencyConflict(BillingError):
    """The Idempotency-Key was used for something else: nothing was done."""

    code = "idempotency_conflict"
