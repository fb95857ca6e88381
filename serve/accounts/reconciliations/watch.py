"""Has the ledger checked again and again, and the log say so."""

from __future__ import annotations

from datetime import timedelta

import structlog

from billing.reconcile import Report
from billing.reconciliations.actions import reconcile_if_due
from serve.accounts.services import Services

_LOOK_SECONDS = 3_600.0
"""How late a check is at most; one that did not end is tried again after so long."""

logger = structlog.get_logger(__name__)


class LedgerWatch:
    """Looks whether a check is due; not the first time, while a product starts."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._every = timedelta(hours=services.settings.reconcile_hours)
        self._has_started = False

    @property
    def pause_seconds(self) -> float:
        return min(_LOOK_SECONDS, self._every.total_seconds())

    async def look(self) -> bool:
        """Check the ledger where it is due; a chore of which never more is waiting."""
        if self._has_started:
            services = self._services
            report = await reconcile_if_due(services.database, self._every, services.now())
            if report is not None:
                _tell(report)
        self._has_started = True
        return False


def _tell(report: Report) -> None:
    if report.is_clean:
        logger.info("ledger_clean", rules=len(report.rules), entries=report.rows["entries"])
    for breach in report.breaches:
        logger.error("ledger_breach", rule=breach.rule, count=breach.count)
