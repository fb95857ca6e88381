"""Why a model said what it said: the largest contributions to a row's log-odds, checked.

Contributions are LightGBM's `pred_contrib` (TreeSHAP): a base value and one number a feature, whose
sum is the raw score, the log-odds of the probability. Measured on one thread beside predicting
(150 trees of 7 leaves, 241 features), median microseconds a row by rows of a call:

| operation                         |   1 |  8 |  64 | 256 |
|-----------------------------------|-----|----|-----|-----|
| `Booster.predict`                 |  42 |  9 | 2.6 | 2.2 |
| the same with `pred_contrib=True` | 106 | 83 |  80 |  79 |
| checking, and choosing 10 of 241  |  69 | 16 |   8 |   6 |
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.errors import PredictionFailed
from models.prediction import Contributions, Matrix, Model, Probabilities

Explanations: TypeAlias = np.ndarray[tuple[int], np.dtype[np.void]]
"""Rows of `row_type`."""

TOLERANCE = 1e-6
"""What a sum of contributions may be off, as a raw score and as a probability."""
_SATURATED = 1e-9
"""So near to 0 or 1 a probability says too little of its raw score to compare the two."""


def row_type(features_max: int) -> np.dtype[np.void]:
    """One explained row, little-endian: 32 bytes and 12 for each contribution.

    `features` are columns, `contributions` theirs, the largest first by absolute value; one that
    is zero stands for none. `rest` is the sum of those that are left out.
    """
    return np.dtype(
        [
            ("probability", "<f8"),
            ("base", "<f8"),
            ("raw_score", "<f8"),
            ("rest", "<f8"),
            ("features", "<u4", (features_max,)),
            ("contributions", "<f8", (features_max,)),
        ]
    )


def explain_rows(
    model: Model, matrix: Matrix, probabilities: Probabilities, features_max: int
) -> Explanations:
    """What contributed most to these probabilities of the model's, which may be NaN.

    The probability is NaN for each row that cannot be explained: a row whose contributions do not
    add up to what was predicted is a failed prediction.
    """
    explained = np.zeros(len(matrix), row_type(features_max))
    explained["probability"] = np.nan
    predicted = np.flatnonzero(~np.isnan(probabilities))
    contributions = _contributions_or_nan(model, matrix[predicted])
    raw_scores = contributions.sum(axis=1)
    sound = agree(raw_scores, probabilities[predicted])
    _fill(explained, predicted[sound], contributions[sound], features_max)
    explained["raw_score"][predicted] = raw_scores
    explained["probability"][predicted[sound]] = probabilities[predicted[sound]]
    return explained


def agree(raw_scores: NDArray[np.float64], probabilities: Probabilities) -> NDArray[np.bool_]:
    """Whether each raw score is that of its probability, both ways; False for a NaN."""
    with np.errstate(over="ignore", divide="ignore"):
        as_probabilities = 1.0 / (1.0 + np.exp(-raw_scores))
        odds = probabilities / (1.0 - probabilities)
        same_score = np.abs(raw_scores - np.log(odds)) <= TOLERANCE
    saturated = probabilities * (1.0 - probabilities) < _SATURATED
    same_probability = np.abs(as_probabilities - probabilities) <= TOLERANCE
    return same_probability & (same_score | saturated)


def _contributions_or_nan(model: Model, matrix: Matrix) -> Contributions:
    """Contributions of all rows; NaN for those that the model fails on, found by halving."""
    if not len(matrix):
        return np.empty((0, matrix.shape[1] + 1))
    try:
        return model.explain(matrix)
    except PredictionFailed:
        if len(matrix) == 1:
            return np.full((1, matrix.shape[1] + 1), np.nan)
    middle = len(matrix) // 2
    halves = (matrix[:middle], matrix[middle:])
    return np.concatenate([_contributions_or_nan(model, half) for half in halves])


def _fill(
    explained: Explanations, rows: NDArray[Any], contributions: Contributions, features_max: int
) -> None:
    """Write the parts of these rows; of equal contributions the earlier column comes first."""
    of_features = contributions[:, :-1]
    order = np.argsort(-np.abs(of_features), axis=1, kind="stable")
    largest, others = order[:, :features_max], order[:, features_max:]
    shown = np.s_[:, : largest.shape[1]]
    explained["base"][rows] = contributions[:, -1]
    explained["rest"][rows] = np.take_along_axis(of_features, others, axis=1).sum(axis=1)
    columns, values = explained["features"][rows], explained["contributions"][rows]
    columns[shown] = largest
    values[shown] = np.take_along_axis(of_features, largest, axis=1)
    explained["features"][rows], explained["contributions"][rows] = columns, values
