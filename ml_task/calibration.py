"""Whether apps with a probability of 0.3 are malware three times of ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml_task.evaluate import INTERVAL, OutOfFold, resample_groups
from ml_task.metrics import Floats
from models.manifest import Estimate

EDGES = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0)
SMALLEST = 1e-6
RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Reliability:
    """By bin of probability that has rows: means of what was said and what was, with intervals."""

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    rows: Floats


def measure_reliability(out_of_fold: OutOfFold, edges: tuple[float, ...] = EDGES) -> Reliability:
    """Bin the probabilities of all seeds; intervals by resampling groups.

    `rows` counts each row once for each seed that put it there, divided by the seeds.
    """
    seeds = len(out_of_fold.probabilities)
    bins = np.clip(np.digitize(out_of_fold.probabilities, edges) - 1, 0, len(edges) - 2)
    inside = (bins[:, :, None] == np.arange(len(edges) - 1)).sum(axis=0) / seeds
    said = _sum_by_bin(bins, out_of_fold.probabilities, len(edges) - 1) / seeds
    weights = np.vstack(
        [np.ones(len(out_of_fold.labels)), resample_groups(out_of_fold.groups, RESAMPLES)]
    )
    rows, malware = weights @ inside, weights @ (inside * out_of_fold.labels[:, None])
    filled = rows[0] > 0
    shares = np.divide(malware, rows, out=np.full_like(rows, np.nan), where=rows > 0)[:, filled]
    low, high = np.nanquantile(shares[1:], INTERVAL, axis=0)
    return Reliability(said[filled] / rows[0, filled], shares[0], low, high, rows[0, filled])


def measure_log_loss(out_of_fold: OutOfFold) -> Estimate:
    """Mean negative log-likelihood in nats; probabilities are kept off 0 and 1 by a millionth."""
    said = np.clip(out_of_fold.probabilities, SMALLEST, 1 - SMALLEST)
    loss = -np.where(out_of_fold.labels == 1, np.log(said), np.log1p(-said)).mean(axis=0)
    weights = resample_groups(out_of_fold.groups, RESAMPLES)
    low, high = np.quantile(weights @ loss / weights.sum(axis=1), INTERVAL)
    return Estimate(mean=float(loss.mean()), low=float(low), high=float(high))


def _sum_by_bin(
    bins: np.ndarray[tuple[int, ...], np.dtype[np.int64]], values: Floats, count: int
) -> Floats:
    sums: Floats = np.bincount(
        bins.reshape(-1), weights=values.reshape(-1), minlength=count
    ).astype(np.float64)
    return sums
