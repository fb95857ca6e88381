"""Seven metrics of a binary classifier, computed for many row weightings at once.

Bootstrap resampling is a weighting by whole numbers, so one pass scores all resamples. The
definitions are scikit-learn's (average precision for PR-AUC); the tests compare them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

METRICS = ("accuracy", "f1_macro", "f1_positive", "roc_auc", "pr_auc", "mcc", "brier")
DECIDED_AT = 0.5

Floats: TypeAlias = NDArray[np.float64]


def score(labels: NDArray[np.uint8], probabilities: Floats, weights: Floats) -> Floats:
    """Metrics in the order of `METRICS`, (7, w), for labels (n,) and weights (w, n)."""
    positive = labels.astype(np.float64)
    return np.stack(
        [
            *_score_decisions(positive, probabilities >= DECIDED_AT, weights),
            *_score_ranking(positive, probabilities, weights),
            *_score_errors(positive, probabilities, weights),
        ]
    )[[0, 1, 2, 4, 5, 3, 6]]


def _score_decisions(positive: Floats, decided: NDArray[np.bool_], weights: Floats) -> list[Floats]:
    """Accuracy, macro F1, F1 of the positive label, Matthews' correlation coefficient.

    The last is 0 where every row is decided alike, as in scikit-learn.
    """
    hits, alarms = weights @ (positive * decided), weights @ ((1 - positive) * decided)
    misses, passes = weights @ (positive * ~decided), weights @ ((1 - positive) * ~decided)
    f1_positive = 2 * hits / (2 * hits + alarms + misses)
    f1_negative = 2 * passes / (2 * passes + alarms + misses)
    spread = (hits + alarms) * (hits + misses) * (passes + alarms) * (passes + misses)
    return [
        (hits + passes) / weights.sum(axis=1),
        (f1_positive + f1_negative) / 2,
        f1_positive,
        (hits * passes - alarms * misses) / np.sqrt(np.where(spread > 0, spread, 1)),
    ]


def _score_ranking(positive: Floats, probabilities: Floats, weights: Floats) -> list[Floats]:
    """ROC-AUC (a tie counts half) and average precision."""
    order = np.argsort(-probabilities, kind="stable")
    starts = np.flatnonzero(np.diff(probabilities[order], prepend=np.inf))
    hits = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    alarms = np.add.reduceat((weights * (1 - positive))[:, order], starts, axis=1)
    hits_sum, alarms_sum = hits.cumsum(axis=1), alarms.cumsum(axis=1)
    ahead = (alarms * (hits_sum - hits / 2)).sum(axis=1)
    # A resample may leave out every row of the highest probabilities: no alarm, no precision.
    precision = hits_sum / np.maximum(hits_sum + alarms_sum, 1e-12)
    return [
        ahead / (hits_sum[:, -1] * alarms_sum[:, -1]),
        (hits * precision).sum(axis=1) / hits_sum[:, -1],
    ]


def _score_errors(positive: Floats, probabilities: Floats, weights: Floats) -> list[Floats]:
    """Brier score: the mean squared error of the probability."""
    return [weights @ (probabilities - positive) ** 2 / weights.sum(axis=1)]
