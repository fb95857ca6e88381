"""All tables together, for the migrations."""

from __future__ import annotations

from billing.alerts import tables as _alerts
from billing.api_keys import tables as _api_keys
from billing.audit import tables as _audit
from billing.grants import tables as _grants
from billing.holds import tables as _holds
from billing.reconciliations import tables as _reconciliations
from billing.refund_requests import tables as _refund_requests
from billing.refunds import tables as _refunds
from billing.reports import tables as _reports
from billing.sessions import tables as _sessions
from billing.tables import metadata
from billing.top_ups import tables as _top_ups
from billing.users import tables as _users

__all__ = ["metadata"]

# Importing a slice's tables is what adds them to the metadata.
SLICES = (
    _alerts,
    _api_keys,
    _audit,
    _grants,
    _holds,
    _reconciliations,
    _refund_requests,
    _refunds,
    _reports,
    _sessions,
    _top_ups,
    _users,
)
