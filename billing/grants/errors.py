"""What can be missing when grants are read."""

from billing.errors import BillingError


class GrantMissing(BillingError):
    """The account has no such grant."""

    code = "grant_missing"


class EntryMissing(BillingError):
    """The account has no such entry."""

    code = "entry_missing"


class AdjustmentMissing(BillingError):
    """The account has no such adjustment."""

    code = "adjustment_missing"
