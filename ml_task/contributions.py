"""What the model leans on: TreeSHAP values and the gain of its splits."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np

from data.loader import Matrix
from ml_task.metrics import Floats


@dataclass(frozen=True, slots=True)
class Contributions:
    """Log-odds by row and feature, (n, features), and the base value: they sum to the raw score.

    LightGBM's `pred_contrib` computes them exactly (TreeSHAP).
    """

    names: tuple[str, ...]
    values: Floats
    base: float

    @property
    def mean_size(self) -> Floats:
        """By feature: how far it moves a row's log-odds on average, either way."""
        size: Floats = np.abs(self.values).mean(axis=0)
        return size

    def rank(self, count: int) -> list[int]:
        """The columns that move the most, the first the strongest."""
        strongest: list[int] = np.argsort(-self.mean_size, kind="stable")[:count].tolist()
        return strongest


def explain(booster: lightgbm.Booster, matrix: Matrix) -> Contributions:
    """The contributions to each row's raw score."""
    found = np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=1), np.float64)
    return Contributions(tuple(booster.feature_name()), found[:, :-1], float(found[0, -1]))


def measure_gain(booster: lightgbm.Booster) -> Floats:
    """By feature: its share of the loss that all splits took away."""
    gain = np.asarray(booster.feature_importance(importance_type="gain"), np.float64)
    share: Floats = gain / gain.sum()
    return share
