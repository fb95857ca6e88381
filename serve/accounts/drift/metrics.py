"""Drift as gauges, three series for each model version."""

from __future__ import annotations

from typing import Any

from ray.serve import metrics

_TAGS: Any = ("model", "version")  # Ray says it were one


class DriftMetrics:
    """What the bookkeeper reports; where there are too few rows for a verdict, PSI is 0."""

    def __init__(self) -> None:
        self._rows = metrics.Gauge(
            "farebox_drift_rows", "Rows of the day that drift is reckoned from", tag_keys=_TAGS
        )
        self._score = metrics.Gauge(
            "farebox_drift_score_psi", "PSI of the probabilities served", tag_keys=_TAGS
        )
        self._feature = metrics.Gauge(
            "farebox_drift_feature_psi_max", "The largest PSI of any feature", tag_keys=_TAGS
        )

    def drift_measured(
        self, model: str, version: str, rows: int, score_psi: float, feature_psi_max: float
    ) -> None:
        tags = {"model": model, "version": version}
        self._rows.set(rows, tags)
        self._score.set(score_psi, tags)
        self._feature.set(feature_psi_max, tags)
