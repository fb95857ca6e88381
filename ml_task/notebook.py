"""What the notebook starts with: the data set, and how much is measured."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.errors import DataError
from data.loader import Dataset, load_dataset
from ml_task.candidates import CANDIDATES, LIGHTGBM, LINEAR, MAJORITY, Candidate
from ml_task.evaluate import Plan
from ml_task.recipe import EARLIER, SERVED, Recipe
from ml_task.sizes import SIZES
from models.manifest import SplitMetrics

PLAN = "FAREBOX_NOTEBOOK_PLAN"
DATASET = "FAREBOX_DATASET"
F1_GOAL, BRIER_GOAL = 0.934, 0.036
"""On unique vectors: the untuned random forest's macro F1, the linear model's Brier score."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much the notebook measures: `plan` for one recipe, `nested` around tuning."""

    plan: Plan
    nested: Plan
    inner_folds: int
    candidates: tuple[Candidate, ...]
    sizes: tuple[Recipe, ...]
    timings: int


FULL = Depth(
    plan=Plan(),
    nested=Plan(seeds=(0,)),
    inner_folds=3,
    candidates=CANDIDATES,
    sizes=SIZES,
    timings=200,
)
QUICK = Depth(
    plan=Plan(seeds=(0,), folds=2, resamples=30),
    nested=Plan(seeds=(0,), folds=2, resamples=30),
    inner_folds=2,
    candidates=(MAJORITY, LINEAR, LIGHTGBM),
    sizes=(SERVED, EARLIER),
    timings=5,
)


class NoData(SystemExit):
    """Ends the notebook with one line; the message says how to get the data set."""


def choose_depth(environment: Mapping[str, str] = os.environ) -> Depth:
    """The committed depth, or the tests' where the variable says `quick`."""
    return QUICK if environment.get(PLAN) == "quick" else FULL


def is_goal_reached(metrics: SplitMetrics) -> bool:
    """Whether macro F1 is not below its goal within the interval, and the Brier score is at its."""
    return metrics.f1_macro.high >= F1_GOAL and metrics.brier.mean <= BRIER_GOAL


def open_dataset(environment: Mapping[str, str] = os.environ) -> Dataset:
    """The data set; raises NoData where it cannot be had."""
    configured = environment.get(DATASET)
    try:
        return load_dataset(Path(configured) if configured else None)
    except DataError as error:
        raise NoData(
            f"Stopped: there is no data set to tell of. {error}. "
            f"{DATASET} may name TUANDROMD.csv; data/README.md says where it comes from."
        ) from None
