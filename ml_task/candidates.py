"""The models that are compared, each behind the one type `Fit`, with the settings to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from data.loader import Matrix
from ml_task.recipe import SEED, Fit, Predict, Probabilities, Recipe, weigh_vectors

Setting: TypeAlias = Mapping[str, int | float | str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind of model: `build` makes what fits it under a setting; the first one is untuned."""

    name: str
    build: Callable[[Setting], Fit]
    settings: tuple[Setting, ...] = ({},)

    @property
    def untuned(self) -> Fit:
        """Fits it under the first setting."""
        return self.build(self.settings[0])


def fit_share(matrix: Matrix, labels: Matrix) -> Predict:
    """The baseline: everyone gets the share of malware among the weighted vectors."""
    _, targets, weights = weigh_vectors(matrix, labels)
    share = float(np.average(targets, weights=weights))
    return lambda rows: np.full(len(rows), share)


def fit_estimator(estimator: Any) -> Fit:  # noqa: ANN401 - scikit-learn has no types
    """What fits a scikit-learn classifier on weighted vectors, as LightGBM's recipe does."""

    def fit(matrix: Matrix, labels: Matrix) -> Predict:
        vectors, targets, weights = weigh_vectors(matrix, labels)
        # On so few rows threads cost more than they do, ten times as much where cores are busy.
        with threadpool_limits(limits=1):
            estimator.fit(vectors.astype(np.float64), targets, sample_weight=weights)

        def predict(rows: Matrix) -> Probabilities:
            with threadpool_limits(limits=1):
                found: Probabilities = estimator.predict_proba(rows.astype(np.float64))[:, 1]
            return found

        return predict

    return fit


def _build_linear(setting: Setting) -> Fit:
    return fit_estimator(LogisticRegression(max_iter=2000, **setting))


def _build_forest(setting: Setting) -> Fit:
    return fit_estimator(
        RandomForestClassifier(n_estimators=200, random_state=SEED, n_jobs=1, **setting)
    )


def _build_histogram(setting: Setting) -> Fit:
    return fit_estimator(HistGradientBoostingClassifier(random_state=SEED, **setting))


def _build_lightgbm(setting: Setting) -> Fit:
    return Recipe(**setting).fit  # type: ignore[arg-type]


MAJORITY = Candidate("majority", lambda _: fit_share)
LINEAR = Candidate(
    "logistic regression", _build_linear, tuple({"C": c} for c in (1.0, 0.3, 3.0, 10.0))
)
FOREST = Candidate(
    "random forest",
    _build_forest,
    (
        {"max_features": "sqrt", "min_samples_leaf": 1},
        {"max_features": "sqrt", "min_samples_leaf": 2},
        {"max_features": 0.2, "min_samples_leaf": 1},
        {"max_features": 0.2, "min_samples_leaf": 2},
    ),
)
HISTOGRAM = Candidate(
    "HistGradientBoosting",
    _build_histogram,
    (
        {"max_iter": 100, "min_samples_leaf": 20},
        {"max_iter": 100, "min_samples_leaf": 5, "max_leaf_nodes": 7},
        {"max_iter": 100, "min_samples_leaf": 3, "max_leaf_nodes": 7, "max_features": 0.3},
    ),
)
LIGHTGBM = Candidate(
    "LightGBM",
    _build_lightgbm,
    (
        {"trees": 40, "leaves": 15, "learning_rate": 0.15},
        {"trees": 80, "leaves": 7, "learning_rate": 0.15},
        {"trees": 150, "leaves": 7, "learning_rate": 0.1},
        {"trees": 100, "leaves": 4, "learning_rate": 0.2},
    ),
)
CANDIDATES = (MAJORITY, LINEAR, FOREST, HISTOGRAM, LIGHTGBM)
