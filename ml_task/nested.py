"""Tunes inside of training: a setting is chosen on inner folds that never see the outer test rows.

The inner folds keep groups together as the outer ones do. A cluster is held out whole, so what is
linked among the rows left is linked as before, and the split can be made anew from them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from data.loader import Dataset, Matrix
from data.schema import FeatureSchema
from ml_task.candidates import Candidate, Setting
from ml_task.evaluate import OutOfFold, Plan, predict_out_of_fold
from ml_task.recipe import Predict
from ml_task.splits import Split

MakeSplit = Callable[[Dataset], Split]


@dataclass(frozen=True, slots=True)
class Tuned:
    """A candidate that tunes itself whenever it is fitted; `chosen` collects what it took."""

    candidate: Candidate
    make_split: MakeSplit
    schema: FeatureSchema
    inner: Plan
    chosen: list[Setting] = field(default_factory=list)

    def fit(self, matrix: Matrix, labels: Matrix) -> Predict:
        """Choose the setting with the least Brier score on inner folds; fit it on all rows."""
        setting = self._choose(Dataset(matrix, labels, self.schema, ""))
        self.chosen.append(setting)
        return self.candidate.build(setting)(matrix, labels)

    def _choose(self, training: Dataset) -> Setting:
        settings = self.candidate.settings
        if len(settings) == 1:
            return settings[0]
        split = self.make_split(training)
        losses = [
            brier(predict_out_of_fold(training, split, self.inner, self.candidate.build(setting)))
            for setting in settings
        ]
        return settings[int(np.argmin(losses))]


@dataclass(frozen=True, slots=True)
class NestedRun:
    """Outer predictions of a tuned candidate, and the setting of each outer fit."""

    out_of_fold: OutOfFold
    chosen: tuple[Setting, ...]


def run_nested(
    dataset: Dataset, make_split: MakeSplit, candidate: Candidate, outer: Plan, inner_folds: int
) -> NestedRun:
    """Nested cross-validation of one candidate."""
    inner = Plan(seeds=(0,), folds=inner_folds, resamples=0)
    tuned = Tuned(candidate, make_split, dataset.schema, inner)
    found = predict_out_of_fold(dataset, make_split(dataset), outer, tuned.fit)
    return NestedRun(found, tuple(tuned.chosen))


def brier(out_of_fold: OutOfFold) -> float:
    """The mean squared error of the probability."""
    return float(((out_of_fold.probabilities - out_of_fold.labels) ** 2).mean())
