"""`/v1/reports/reconciliation`: whether the ledger was as it must be when it was last checked."""

from __future__ import annotations

from billing.reconciliations.queries import fetch_verdicts
from serve.accounts.access import Access, make_router
from serve.accounts.reconciliations.wire import ReconciliationReport, VerdictView
from serve.accounts.services import ServicesDependency
from serve.wire import problem_responses

router = make_router(Access.OPERATOR, "reports")

_VERDICTS_SHOWN = 10


@router.get(
    "/reports/reconciliation",
    summary="Whether the ledger is clean",
    responses=problem_responses(401, 403, 503),
)
async def read_reconciliation(services: ServicesDependency) -> ReconciliationReport:
    """What `farebox reconcile` and the bookkeeper's own checks found, up to ten of them."""
    verdicts = await fetch_verdicts(services.database, _VERDICTS_SHOWN)
    return ReconciliationReport(
        every_hours=services.settings.reconcile_hours,
        verdicts=[VerdictView.of(verdict) for verdict in verdicts],
    )
