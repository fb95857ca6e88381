"""The population stability index: how far one distribution has moved from another.

PSI = sum over bins of (served - reference) * ln(served / reference), both as shares. It is the
symmetric form of the Kullback-Leibler divergence (Jeffreys, 1946), in use for scorecards since
E. M. Lewis, "An Introduction to Credit Scoring" (1992). The usual reading is N. Siddiqi's, "Credit
Risk Scorecards" (2006): below 0.1 no change, to 0.25 (others say 0.2) some, above it a new
population. It is a custom, not a test: how large PSI gets by chance depends on rows and bins.
B. Yurdakul, "Statistical Properties of Population Stability Index" (2018): without any drift
PSI / (1/n + 1/m) is near to chi-squared with `bins - 1` degrees of freedom, for n and m rows.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

MODERATE = 0.1
"""From here on something has changed, by custom."""

PRIOR = 0.5
"""Added to every bin of both sides (Jeffreys' prior): an empty bin would make PSI infinite."""

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[Any]


def shares(counts: Counts) -> Floats:
    """Smoothed shares along the last axis; none is 0, and each bin's sum is 1."""
    smoothed = np.asarray(counts, dtype=np.float64) + PRIOR
    result: Floats = smoothed / smoothed.sum(axis=-1, keepdims=True)
    return result


def psi(reference: Counts, served: Counts) -> Floats:
    """PSI of counts, bins along the last axis, float64 of the shape before it; 0 where equal."""
    expected, found = shares(reference), shares(served)
    result: Floats = ((found - expected) * np.log(found / expected)).sum(axis=-1)
    return result


def expected_psi(bins: int, reference_rows: float, served_rows: float) -> float:
    """What PSI is on average when nothing has drifted: (bins - 1) * (1/n + 1/m)."""
    return (bins - 1) * (1 / reference_rows + 1 / served_rows)


def rows_needed(bins: int, reference_rows: float, noise_max: float) -> int | None:
    """The served rows from which on `expected_psi` is at most `noise_max`.

    None where the reference alone is noisier than that: no number of rows is enough.
    """
    left = noise_max / (bins - 1) - 1 / reference_rows
    return math.ceil(1 / left) if left > 0 else None
