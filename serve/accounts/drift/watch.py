"""Looks at today's drift again and again: gauges for Prometheus, a log line when it passes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import structlog

from billing.reports.drift import ScoredRows, fetch_scored, prune_scored
from models.drift import Drift, Verdict
from serve.accounts.services import Services
from serve.drift import Finding, judge

_DAY = timedelta(days=1)

logger = structlog.get_logger(__name__)


class DriftObserver(Protocol):
    """Where the figures go."""

    def drift_measured(
        self, model: str, version: str, rows: int, score_psi: float, feature_psi_max: float
    ) -> None: ...


class DriftWatch:
    """Looks at each version's newest day of two that has rows enough for a verdict.

    So the figures do not vanish at midnight, and yesterday does not water today down.
    """

    def __init__(self, services: Services, observer: DriftObserver) -> None:
        self._services = services
        self._observer = observer
        self._observed: set[tuple[str, str]] = set()
        self._drifted: set[tuple[str, str]] = set()
        self._faulty: set[tuple[str, str]] = set()

    async def look(self) -> bool:
        """Measure all versions; a chore of which never more is waiting."""
        today = self._services.now().date()
        days = await fetch_scored(self._services.database, today - _DAY, today + _DAY)
        found = await asyncio.to_thread(self._judge, days)
        for key, finding in found.items():
            self._report(key, finding)
        for model, version in self._observed - found.keys():
            self._observer.drift_measured(model, version, 0, 0.0, 0.0)
        self._tell_faults(found)
        self._observed, self._drifted = set(found), self._drifted & found.keys()
        return False

    async def prune(self) -> bool:
        """Delete the days past those that are kept."""
        kept = timedelta(days=self._services.settings.drift_kept_days)
        await prune_scored(self._services.database, self._services.now().date() - kept)
        return False

    def _judge(self, days: Sequence[ScoredRows]) -> dict[tuple[str, str], Finding]:
        """Today's finding of each version, or yesterday's while today's is not known yet."""
        found: dict[tuple[str, str], Finding] = {}
        for day in sorted({one.day for one in days}, reverse=True):
            of_day = [one for one in days if one.day == day]
            alert = self._services.settings.drift_psi_alert
            for finding in judge(self._services.models_dir, of_day, alert):
                key = (finding.model, finding.version)
                if key not in found or (not _is_known(found[key]) and _is_known(finding)):
                    found[key] = finding
        return found

    def _report(self, key: tuple[str, str], finding: Finding) -> None:
        drift = finding.drift
        score, feature = (0.0, 0.0)
        if drift is not None and drift.is_known:
            score, feature = drift.score_psi, drift.feature_psi_max
        self._observer.drift_measured(*key, finding.scored.rows, score, feature)
        if drift is None or drift.verdict is not Verdict.DRIFTED:
            self._drifted.discard(key)
        elif key not in self._drifted:
            self._drifted.add(key)
            _tell(key, drift, self._services.settings.drift_psi_alert)

    def _tell_faults(self, found: Mapping[tuple[str, str], Finding]) -> None:
        faults = {key: finding.fault for key, finding in found.items() if finding.fault}
        for model, version in faults.keys() - self._faulty:
            reason = faults[model, version]
            logger.warning("drift_reference_unusable", model=model, version=version, reason=reason)
        self._faulty = set(faults)


def _is_known(finding: Finding) -> bool:
    return finding.drift is not None and finding.drift.is_known


def _tell(key: tuple[str, str], drift: Drift, alert: float) -> None:
    model, version = key
    worst = drift.features[0]
    logger.warning(
        "drift_alert",
        model=model,
        version=version,
        rows=drift.rows,
        score_psi=round(drift.score_psi, 4),
        feature=worst.name,
        feature_psi=round(worst.psi, 4),
        alert=alert,
    )
