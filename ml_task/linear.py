"""The linear model: logistic regression, exported to ONNX."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
import sklearn
from skl2onnx import __version__ as skl2onnx_version  # type: ignore[import-untyped]
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import (  # type: ignore[import-untyped]
    FloatTensorType,
)
from sklearn.linear_model import LogisticRegression

from data.loader import Matrix
from ml_task.recipe import Predict, Probabilities, weigh_vectors

LIBRARY = f"scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx_version}"
PARAMETERS: dict[str, int | float | str | bool] = {"C": 1.0, "solver": "lbfgs", "max_iter": 2000}
OPSET = 18
FEATURES_KEY = "features"
"""Of the file's metadata, where the server looks for the columns' names."""


def fit_regression(matrix: Matrix, labels: Matrix) -> Any:  # noqa: ANN401 - scikit-learn's object
    """Fit the regression on weighted vectors."""
    vectors, targets, weights = weigh_vectors(matrix, labels)
    regression = LogisticRegression(**PARAMETERS)
    return regression.fit(vectors.astype(np.float64), targets, sample_weight=weights)


def fit(matrix: Matrix, labels: Matrix) -> Predict:
    """Fit the regression and give what predicts with it."""
    regression = fit_regression(matrix, labels)

    def predict(rows: Matrix) -> Probabilities:
        found: Probabilities = regression.predict_proba(rows.astype(np.float64))[:, 1]
        return found

    return predict


def export_onnx(matrix: Matrix, labels: Matrix, names: tuple[str, ...]) -> bytes:
    """Fit on all rows; the graph's bytes, equal for equal rows and versions of the libraries.

    Input: floats (n, features). Outputs: the class, and floats (n, 2), the second malware's.
    """
    regression = fit_regression(matrix, labels)
    graph = convert_sklearn(
        regression,
        name="logistic_regression",
        initial_types=[("features", FloatTensorType([None, len(names)]))],
        options={id(regression): {"zipmap": False}},
        target_opset=OPSET,
    )
    onnx.helper.set_model_props(graph, {FEATURES_KEY: json.dumps(names)})
    content: bytes = graph.SerializeToString(deterministic=True)
    return content
