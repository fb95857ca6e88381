"""How the model is fitted: what a row weighs, and LightGBM's parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import lightgbm
import numpy as np
from numpy.typing import NDArray

from data.loader import Matrix
from ml_task.unique import find_unique

Probabilities: TypeAlias = NDArray[np.float64]
Predict: TypeAlias = Callable[[Matrix], Probabilities]
Fit: TypeAlias = Callable[[Matrix, Matrix], Predict]

SEED = 20230620
WEIGHTING = "each unique feature vector weighs 1, shared among its labels as its rows are"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What of LightGBM's parameters is chosen; the rest makes equal rows give equal bytes."""

    trees: int = 40
    leaves: int = 15
    learning_rate: float = 0.15
    leaf_vectors_min: int = 3
    feature_share: float = 0.3

    @property
    def parameters(self) -> dict[str, int | float | str | bool]:
        """The parameters by LightGBM's names."""
        return {
            "objective": "binary",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.leaf_vectors_min,
            "feature_fraction": self.feature_share,
            "seed": SEED,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }

    def fit(self, matrix: Matrix, labels: Matrix) -> Predict:
        """Fit the model and give what predicts with it."""
        booster = fit_booster(matrix, labels, recipe=self)

        def predict(rows: Matrix) -> Probabilities:
            return np.asarray(booster.predict(rows, num_threads=1), dtype=np.float64)

        return predict


EARLIER = Recipe(trees=150, leaves=7, learning_rate=0.1)
"""Version 1's, which others are compared with."""

SERVED = Recipe()
"""Version 2's: as good within intervals, and twice as quick in bulk."""


def weigh_vectors(matrix: Matrix, labels: Matrix) -> tuple[Matrix, Matrix, NDArray[np.float64]]:
    """Collapse rows to (vector, label) pairs with weights; the order of rows does not matter."""
    found = find_unique(np.column_stack([matrix, labels]))
    pairs, counts = found.rows, found.counts
    vectors = find_unique(pairs[:, :-1]).inverse
    rows_of_vector = np.bincount(vectors, weights=counts)[vectors]
    return pairs[:, :-1], pairs[:, -1], counts / rows_of_vector


def fit_booster(
    matrix: Matrix,
    labels: Matrix,
    names: tuple[str, ...] | None = None,
    recipe: Recipe = SERVED,
) -> lightgbm.Booster:
    """Fit the model; equal rows in any order give byte-identical model texts."""
    vectors, targets, weights = weigh_vectors(matrix, labels)
    table = lightgbm.Dataset(
        vectors.astype(np.float32),
        label=targets,
        weight=weights,
        feature_name="auto" if names is None else list(names),
        params={"verbosity": -1},
    )
    return lightgbm.train(recipe.parameters, table, num_boost_round=recipe.trees)


def fit(matrix: Matrix, labels: Matrix) -> Predict:
    """Fit the published model and give what predicts with it."""
    return SERVED.fit(matrix, labels)
