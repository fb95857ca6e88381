"""What stands in the way of ending a hold."""

from billing.errors import BillingError


class HoldMissing(BillingError):
    """The account has no such hold."""

    code = "hold_missing"


class HoldResolved(BillingError):
    """The hold ended before, in another way than asked: nothing was done."""

    code = "hold_resolved"


class HoldExpired(BillingError):
    """The hold's time is over: nothing was done."""

    code = "hold_expired"


class CaptureTooLarge(BillingError):
    """More was to be captured than is held: nothing was done."""

    code = "capture_too_large"
