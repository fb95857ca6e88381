"""Chooses the probability from which on an app is called malware.

A missed malware costs more than a false alarm: the alarm costs a second look at an app, the miss
lets the app onto a device, where it sends paid messages or reads one-time passwords. We state 5 to
1. It is an assumption, not a measurement: a caller with other costs applies a threshold of his own
to the probabilities, which every answer carries. Were they perfectly calibrated, 1 / (1 + 5) = 0.17
would be the answer; out of fold, on apps unlike those seen, they are not, so it is measured.
"""

from __future__ import annotations

import numpy as np

from ml_task.evaluate import OutOfFold, resample_groups
from ml_task.metrics import Floats
from models.manifest import Decision

COST_RATIO = 5.0
GRID = np.arange(1, 100) / 100
RESAMPLES = 500


def choose_threshold(out_of_fold: OutOfFold, cost_ratio: float = COST_RATIO) -> Decision:
    """The median, over resampled groups, of the cheapest threshold in hundredths.

    The cost is flat around its minimum; one sample's own minimum would follow its noise.
    """
    weights = resample_groups(out_of_fold.groups, RESAMPLES)
    cheapest = (weights @ price_rows(out_of_fold, cost_ratio)).argmin(axis=1)
    threshold = float(GRID[int(np.median(cheapest))])
    decided, positive = out_of_fold.probabilities >= threshold, out_of_fold.labels == 1
    return Decision(
        threshold=threshold,
        cost_ratio=cost_ratio,
        measured_on=out_of_fold.split.name,
        recall=round(float(decided[:, positive].mean()), 4),
        false_positive_rate=round(float(decided[:, ~positive].mean()), 4),
    )


def price_rows(out_of_fold: OutOfFold, cost_ratio: float = COST_RATIO) -> Floats:
    """Each row's mean cost over seeds at each threshold of the grid, (rows, grid), in alarms."""
    positive = (out_of_fold.labels == 1)[:, None]
    decided = out_of_fold.probabilities[:, :, None] >= GRID
    misses, alarms = positive & ~decided, ~positive & decided
    cost: Floats = (cost_ratio * misses + alarms).mean(axis=0)
    return cost
