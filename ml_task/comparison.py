"""Whether one model is better than another on the same rows: paired differences with intervals."""

from __future__ import annotations

import numpy as np

from ml_task.evaluate import INTERVAL, OutOfFold, Plan, resample_groups
from ml_task.metrics import METRICS, Floats, score
from models.manifest import Estimate


def compare(first: OutOfFold, second: OutOfFold, plan: Plan) -> dict[str, Estimate]:
    """`first` minus `second` in every metric; both are drawn alike in each resample.

    Pairing takes out what both have in common, the luck of the rows, so these intervals are
    narrower than those of the two models apart.
    """
    assert np.array_equal(first.split.tested, second.split.tested), "they were tested on other rows"
    weights = np.vstack([np.ones(len(first.labels)), resample_groups(first.groups, plan.resamples)])
    difference = _mean_scores(first, weights) - _mean_scores(second, weights)
    low, high = np.quantile(difference[:, 1:], INTERVAL, axis=1)
    return {
        name: Estimate(mean=float(difference[row, 0]), low=float(low[row]), high=float(high[row]))
        for row, name in enumerate(METRICS)
    }


def _mean_scores(out_of_fold: OutOfFold, weights: Floats) -> Floats:
    runs = [score(out_of_fold.labels, run, weights) for run in out_of_fold.probabilities]
    mean: Floats = np.mean(runs, axis=0)
    return mean
