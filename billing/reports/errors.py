"""What can go wrong with reports."""

from __future__ import annotations

from billing.errors import BillingError


class ReportTooLarge(BillingError):
    """The report would have more rows than one answer may have."""

    code = "report_too_large"


class FeedAhead(BillingError):
    """The feed has read transactions that this server has not had yet: its database was restored
    from another's dump. `rebuild` mends it.
    """

    code = "feed_ahead"
