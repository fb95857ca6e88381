"""Drift of what was served, from the stored counts and the models' references."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from billing.database import Database
from billing.reports.drift import ScoredRows, fetch_scored
from models.drift import Drift, Verdict, measure_drift
from models.errors import ModelError
from models.manifest import MANIFEST_FILE, read_manifest
from models.reference import Reference, read_reference
from models.registry import artifact_folder


@dataclass(frozen=True, slots=True)
class Scored:
    """What one version scored over some days; the arrays' order is that of features and bins."""

    rows: int
    feature_ones: tuple[int, ...]
    probability_bins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One version and how far its input has moved, where there is something to hold it against."""

    model: str
    version: str
    scored: Scored
    reference: Reference | None = None
    drift: Drift | None = None
    fault: str | None = None
    """Why there is no reference although there should be one."""

    @property
    def verdict(self) -> Verdict:
        return self.drift.verdict if self.drift else Verdict.NO_REFERENCE


async def find_drift(
    database: Database,
    models_dir: Path,
    alert: float,
    *,
    since: date,
    until: date,
    model: str | None = None,
    version: str | None = None,
) -> list[Finding]:
    """Of each version that scored rows on the days from `since` to before `until`, by name."""
    days = await fetch_scored(database, since, until, model, version)
    return await asyncio.to_thread(judge, models_dir, days, alert)


def judge(models_dir: Path, days: Iterable[ScoredRows], alert: float) -> list[Finding]:
    """Add the days of each version up and hold them against its reference."""
    by_version: dict[tuple[str, str], list[ScoredRows]] = {}
    for day in days:
        by_version.setdefault((day.model, day.version), []).append(day)
    return [
        _judge_version(models_dir, *key, _add_up(of_version), alert)
        for key, of_version in sorted(by_version.items())
    ]


def _judge_version(
    models_dir: Path, model: str, version: str, scored: Scored, alert: float
) -> Finding:
    try:
        manifest = read_manifest(artifact_folder(models_dir, model, version) / MANIFEST_FILE)
        reference = read_reference(models_dir, manifest)
    except ModelError as error:
        return Finding(model, version, scored, fault=str(error))
    if reference is None:
        return Finding(model, version, scored)
    drift = measure_drift(manifest.features, reference, scored, alert)
    return Finding(model, version, scored, reference, drift)


def _add_up(days: Sequence[ScoredRows]) -> Scored:
    return Scored(
        sum(day.rows for day in days),
        tuple(map(sum, zip(*(day.feature_ones for day in days), strict=True))),
        tuple(map(sum, zip(*(day.probability_bins for day in days), strict=True))),
    )


def days_until(last: date, count: int) -> tuple[date, date]:
    """`since` and `until` of the `count` days of which `last` is the last one."""
    return last - timedelta(days=count - 1), last + timedelta(days=1)
