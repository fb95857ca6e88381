"""Drift as operators see it."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from models.drift import Drift, FeatureDrift, Verdict
from models.reference import BINS, Reference
from serve.drift import Finding
from serve.wire import Wire

_DIGITS = 6


class FeatureView(Wire):
    """One feature: its PSI, and the share of rows that have it."""

    name: str
    psi: float
    reference_share: float
    served_share: float


class ProbabilityBin(Wire):
    """Probabilities from `low` to below `high` (the last one: up to 1), as shares of all rows."""

    low: float
    high: float
    served_share: float
    reference_share: float | None


class ModelDrift(Wire):
    """A version, and how far what it scored has moved from what it was trained on."""

    model: str
    version: str
    verdict: Verdict
    rows: int = Field(description="Rows scored on these days")
    rows_needed: int | None = Field(description="For a verdict")
    weighting: str | None = Field(description="What weighs 1 in the training data compared with")
    score_psi: float | None = Field(description="PSI of the probabilities")
    feature_psi_max: float | None
    features: list[FeatureView] = Field(description="Those that moved farthest, the worst first")
    probabilities: list[ProbabilityBin]


class DriftReport(Wire):
    """By model and version, on whole days UTC; it follows the rows by a minute or two."""

    since: date
    until: date = Field(description="The first day that is not included")
    alert_psi: float = Field(description="From this PSI on the verdict is `drifted`")
    models: list[ModelDrift]


def model_view(finding: Finding, features_max: int) -> ModelDrift:
    """With so many features."""
    drift, reference = finding.drift, finding.reference
    return ModelDrift(
        model=finding.model,
        version=finding.version,
        verdict=finding.verdict,
        rows=finding.scored.rows,
        rows_needed=drift.rows_needed if drift else None,
        weighting=reference.weighting if reference else None,
        score_psi=round(drift.score_psi, _DIGITS) if drift else None,
        feature_psi_max=round(drift.feature_psi_max, _DIGITS) if drift else None,
        features=_feature_views(drift, features_max),
        probabilities=_bins(finding, reference),
    )


def _feature_views(drift: Drift | None, features_max: int) -> list[FeatureView]:
    features: tuple[FeatureDrift, ...] = drift.features[:features_max] if drift else ()
    return [
        FeatureView(
            name=feature.name,
            psi=round(feature.psi, _DIGITS),
            reference_share=round(feature.reference_share, _DIGITS),
            served_share=round(feature.served_share, _DIGITS),
        )
        for feature in features
    ]


def _bins(finding: Finding, reference: Reference | None) -> list[ProbabilityBin]:
    rows = max(finding.scored.rows, 1)
    return [
        ProbabilityBin(
            low=number / BINS,
            high=(number + 1) / BINS,
            served_share=round(count / rows, _DIGITS),
            reference_share=round(reference.probability_bins[number] / reference.rows, _DIGITS)
            if reference
            else None,
        )
        for number, count in enumerate(finding.scored.probability_bins)
    ]
