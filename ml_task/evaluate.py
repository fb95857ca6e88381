"""Measures a way to fit on rows it has not seen, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.loader import Dataset, Matrix
from ml_task.metrics import METRICS, Floats, score
from ml_task.recipe import Fit, fit
from ml_task.splits import Indices, Split, iter_folds
from models.manifest import Estimate, SplitMetrics

INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: one run of all folds for each seed, then bootstrap resamples."""

    seeds: tuple[int, ...] = (0, 1, 2)
    folds: int = 5
    resamples: int = 500

    @property
    def fits(self) -> int:
        """How many models are fitted for one split."""
        return len(self.seeds) * self.folds


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Probabilities (seeds, rows) of the split's tested rows, each by a model that never saw them.

    `labels` and `groups` are those of the same rows.
    """

    split: Split
    probabilities: Floats
    labels: Matrix
    groups: Indices


def _tell_nobody() -> None:
    """What is called after each fit unless someone wants to know."""


def predict_out_of_fold(
    dataset: Dataset,
    split: Split,
    plan: Plan,
    fit_rows: Fit = fit,
    fitted: Callable[[], None] = _tell_nobody,
) -> OutOfFold:
    """Fit once for each seed and fold, and collect the predictions for the rows left out.

    `fitted` is called after each fit, for who shows the progress.
    """
    runs = [
        _predict_once(dataset, split, plan.folds, seed, fit_rows=fit_rows, fitted=fitted)
        for seed in plan.seeds
    ]
    tested = split.tested
    return OutOfFold(split, np.stack(runs), dataset.labels[tested], split.groups[tested])


def measure(out_of_fold: OutOfFold, plan: Plan) -> SplitMetrics:
    """Score each seed's pooled predictions; means over seeds, intervals by resampling groups."""
    labels, groups = out_of_fold.labels, out_of_fold.groups
    weights = np.vstack([np.ones(len(labels)), resample_groups(groups, plan.resamples)])
    scores = np.mean([score(labels, run, weights) for run in out_of_fold.probabilities], axis=0)
    return SplitMetrics(
        about=out_of_fold.split.about,
        leaks=out_of_fold.split.leaks,
        rows=len(labels),
        groups=len(np.unique(groups)),
        **{name: _estimate(values) for name, values in zip(METRICS, scores, strict=True)},
    )


def resample_groups(groups: Indices, resamples: int, seed: int = 0) -> Floats:
    """How often each row is drawn, (resamples, rows), when whole groups are drawn."""
    numbers, of_row = np.unique(groups, return_inverse=True)
    even = np.full(len(numbers), 1 / len(numbers))
    draws: NDArray[np.int64] = np.random.default_rng(seed).multinomial(
        len(numbers), even, size=resamples
    )
    return draws[:, of_row.reshape(-1)].astype(np.float64)


def _predict_once(
    dataset: Dataset,
    split: Split,
    folds: int,
    seed: int,
    *,
    fit_rows: Fit,
    fitted: Callable[[], None],
) -> Floats:
    by_row = np.full(len(dataset.labels), np.nan)
    for training, scored in iter_folds(split, dataset.labels, folds, seed):
        predict = fit_rows(dataset.matrix[training], dataset.labels[training])
        by_row[scored] = predict(dataset.matrix[scored])
        fitted()
    probabilities: Floats = by_row[split.tested]
    assert np.isfinite(probabilities).all(), "a tested row is in no fold"
    return probabilities


def _estimate(values: Floats) -> Estimate:
    low, high = np.quantile(values[1:], INTERVAL)
    return Estimate(
        mean=round(float(values[0]), 4), low=round(float(low), 4), high=round(float(high), 4)
    )
