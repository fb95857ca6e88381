"""How good and how quick models of several sizes are."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import lightgbm
import numpy as np

from data.loader import Dataset, Matrix
from ml_task.comparison import compare
from ml_task.evaluate import OutOfFold, Plan, measure, predict_out_of_fold
from ml_task.recipe import EARLIER, SERVED, Recipe, fit_booster
from ml_task.splits import Split
from models.manifest import SplitMetrics

BULK_ROWS = 1024
QUIET = 0.25
"""The quantile of times that is told: others on the machine disturb the upper half."""
# Fewer trees learn faster, or they would be unfinished rather than small: each number of trees and
# leaves has the rate that did best for it on these very splits, so all are slightly flattered.
SIZES = (
    Recipe(trees=10, leaves=7, learning_rate=0.4),
    Recipe(trees=20, leaves=7, learning_rate=0.3),
    Recipe(trees=20, leaves=15, learning_rate=0.3),
    Recipe(trees=40, leaves=7, learning_rate=0.2),
    SERVED,
    Recipe(trees=80, leaves=7, learning_rate=0.15),
    Recipe(trees=100, leaves=4, learning_rate=0.2),
    Recipe(trees=80, leaves=15, learning_rate=0.1),
    EARLIER,
    Recipe(trees=300, leaves=7, learning_rate=0.05),
)
F1_MARGIN = 0.005
BRIER_MARGIN = 0.001


@dataclass(frozen=True, slots=True)
class Speed:
    """One thread, lower quartiles over repeats: one row a call, and 1,024 rows a call."""

    one_row_microseconds: float
    bulk_rows_per_second: float


@dataclass(frozen=True, slots=True)
class Size:
    """A recipe with its quality on a split and its speed."""

    recipe: Recipe
    out_of_fold: OutOfFold
    metrics: SplitMetrics
    speed: Speed


def measure_sizes(
    dataset: Dataset, split: Split, recipes: Iterable[Recipe], plan: Plan, repeats: int
) -> list[Size]:
    """Measure each recipe; the boosters are fitted first, so that their timings are close."""
    found = [(one, predict_out_of_fold(dataset, split, plan, one.fit)) for one in recipes]
    boosters = [fit_booster(dataset.matrix, dataset.labels, recipe=one) for one, _ in found]
    speeds = time_boosters(boosters, dataset.matrix, repeats)
    return [
        Size(recipe, tested, measure(tested, plan), speed)
        for (recipe, tested), speed in zip(found, speeds, strict=True)
    ]


def is_as_good(size: Size, reference: Size, plan: Plan) -> bool:
    """No worse in macro F1 and Brier score: by at most the margins, and not for certain at all."""
    differences = compare(size.out_of_fold, reference.out_of_fold, plan)
    f1, brier = differences["f1_macro"], differences["brier"]
    return f1.mean >= -F1_MARGIN and f1.high >= 0 and brier.mean <= BRIER_MARGIN and brier.low <= 0


def are_as_good(some: Iterable[Size], references: Iterable[Size], plan: Plan) -> bool:
    """Whether one recipe is as good as another on every split; both in the splits' order."""
    return all(is_as_good(one, other, plan) for one, other in zip(some, references, strict=True))


def time_boosters(boosters: list[lightgbm.Booster], matrix: Matrix, repeats: int) -> list[Speed]:
    """Time all of them in turn, `repeats` times: what slows the machine slows each alike."""
    places = np.arange(BULK_ROWS) * 7 % len(matrix)
    bulk = np.ascontiguousarray(matrix[places])
    one, many = (np.empty((repeats, len(boosters))) for _ in range(2))
    for repeat in range(repeats):
        for place, booster in enumerate(boosters):
            row = bulk[repeat % BULK_ROWS][None]
            _time(booster, row)  # the one before has taken the caches
            one[repeat, place] = _time(booster, row)
            many[repeat, place] = _time(booster, bulk)
    return [
        Speed(float(single) * 1e6, BULK_ROWS / float(batch))
        for single, batch in zip(
            np.quantile(one, QUIET, axis=0), np.quantile(many, QUIET, axis=0), strict=True
        )
    ]


def _time(booster: lightgbm.Booster, matrix: Matrix) -> float:
    started = time.perf_counter()
    booster.predict(matrix, num_threads=1)
    return time.perf_counter() - started
