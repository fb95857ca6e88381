"""What can go wrong with alerts."""

from __future__ import annotations

from billing.errors import BillingError


class AlertMissing(BillingError):
    """The account has no such alert."""

    code = "alert_missing"


class AlertsTooMany(BillingError):
    """The account has as many alerts as it may: nothing was made."""

    code = "alerts_too_many"
