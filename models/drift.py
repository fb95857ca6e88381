"""Holds served rows against a model's reference and says how far they have moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from models.psi import MODERATE, Counts, psi, rows_needed
from models.reference import BINS, Reference

ALERT = 0.2
"""From here on drift is told of, unless the settings say otherwise."""


class Served(Protocol):
    """What was counted of served rows; the order is the reference's."""

    @property
    def rows(self) -> int: ...

    @property
    def feature_ones(self) -> Sequence[int]: ...

    @property
    def probability_bins(self) -> Sequence[int]: ...


class Verdict(StrEnum):
    """What the figures say, in words to be shown."""

    STABLE = "stable"
    MODERATE = "moderate"
    DRIFTED = "drifted"
    TOO_FEW_ROWS = "too few rows"
    NO_REFERENCE = "no reference"


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature: its PSI, and the shares of rows that have it."""

    name: str
    psi: float
    reference_share: float
    served_share: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How far served rows have moved; `features` are sorted, the farthest first."""

    rows: int
    rows_needed: int | None
    """For a verdict; None: the reference is too small for any."""
    score_psi: float
    features: tuple[FeatureDrift, ...]
    verdict: Verdict

    @property
    def feature_psi_max(self) -> float:
        return self.features[0].psi

    @property
    def is_known(self) -> bool:
        """Whether there are rows enough for the figures to mean something."""
        return self.verdict is not Verdict.TOO_FEW_ROWS


def measure_drift(
    names: Sequence[str], reference: Reference, served: Served, alert: float = ALERT
) -> Drift:
    """PSI of the probabilities and of each feature, and what the worst of them means.

    Served rows have to be so many that the score's PSI without any drift is on average at most
    half of the lowest threshold: its 99th percentile, 1.9 times the average with 20 bins, then
    stays below that threshold. The largest of 241 features' PSI is less by chance: two bins each.
    """
    needed = rows_needed(BINS, reference.rows, min(MODERATE, alert) / 2)
    score_psi = float(psi(np.array(reference.probability_bins), np.array(served.probability_bins)))
    features = _measure_features(names, reference, served)
    worst = max(score_psi, features[0].psi)
    enough = needed is not None and served.rows >= needed
    verdict = _judge(worst, alert) if enough else Verdict.TOO_FEW_ROWS
    return Drift(served.rows, needed, score_psi, features, verdict)


def _measure_features(
    names: Sequence[str], reference: Reference, served: Served
) -> tuple[FeatureDrift, ...]:
    expected = np.array(reference.feature_ones, dtype=np.float64)
    found = np.array(served.feature_ones, dtype=np.float64)
    values = psi(_two_bins(expected, reference.rows), _two_bins(found, served.rows))
    expected_shares, found_shares = expected / reference.rows, found / max(served.rows, 1)
    order = np.argsort(-values, kind="stable").tolist()
    return tuple(
        FeatureDrift(
            names[column],
            float(values[column]),
            float(expected_shares[column]),
            float(found_shares[column]),
        )
        for column in order
    )


def _two_bins(ones: Counts, rows: float) -> Counts:
    return np.column_stack([ones, rows - ones])


def _judge(worst_psi: float, alert: float) -> Verdict:
    if worst_psi >= alert:
        return Verdict.DRIFTED
    return Verdict.MODERATE if worst_psi >= min(MODERATE, alert) else Verdict.STABLE
