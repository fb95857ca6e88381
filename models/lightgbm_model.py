"""Loads a LightGBM artifact from its text format and predicts with it; nothing is ever unpickled.

Measured with LightGBM 4.7 on one thread (150 trees of 7 leaves, 241 features; ways interleaved on 2
busy cores), median microseconds for one call by rows:

| way                                          |  1 |  64 | 256 |
|----------------------------------------------|----|-----|-----|
| `LightGBMModel.predict`                      | 32 | 178 | 614 |
| `Booster.predict`, uint8 matrix              | 27 | 160 | 563 |
| the same, float32 matrix                     | 24 | 155 | 554 |
| the same, float64 matrix                     | 25 | 159 | 570 |
| uint8, `predict_disable_shape_check=True`    | 27 | 161 | 563 |
| private `_InnerPredictor`, made once         | 19 | 148 | 545 |
| C API `PredictForMat` by ctypes              | 12 | 142 | 547 |
| C API single-row fast path, row by row       |  7 | 190 | 758 |

Past a few rows the trees cost, not the call: the private ways save at most 20 microseconds a batch,
so the public one is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import ArtifactMismatch, PredictionFailed, RuntimeLibraryMissing
from models.manifest import Manifest
from models.prediction import (
    Contributions,
    Matrix,
    Probabilities,
    check_probabilities,
    check_shape,
)

if TYPE_CHECKING:
    from lightgbm import Booster

THREADS = 1
TEXT_START = b"tree\n"
TEXT_END = b"\nend of trees\n"


@dataclass(frozen=True, slots=True)
class LightGBMModel:
    """A loaded model. Predicting is safe from several threads at once."""

    manifest: Manifest
    booster: Booster

    def predict(self, matrix: Matrix) -> Probabilities:
        """Probabilities of the positive label, float64 (n,), for a uint8 matrix (n, features).

        Raises PredictionFailed naming the rows without a probability; where LightGBM itself
        raises or the shape is wrong these are all rows.
        """
        check_shape(matrix, self.manifest)
        if not len(matrix):
            return np.empty(0)
        found: Probabilities = np.asarray(self._ask(matrix), np.float64)
        return check_probabilities(found)

    def explain(self, matrix: Matrix) -> Contributions:
        """Contributions to the log-odds, float64 (n, features + 1), the base value last.

        SHAP values of the trees, whose sum is the raw score. Raises PredictionFailed.
        """
        check_shape(matrix, self.manifest)
        if not len(matrix):
            return np.empty((0, len(self.manifest.features) + 1))
        found: Contributions = np.asarray(self._ask(matrix, pred_contrib=True), np.float64)
        return found

    def _ask(self, matrix: Matrix, **what: bool) -> Any:  # noqa: ANN401 - as the library says it
        try:
            return self.booster.predict(matrix, num_threads=THREADS, **what)
        except Exception as error:
            raise PredictionFailed(f"LightGBM: {error}", range(len(matrix))) from error


def parse_lightgbm(content: bytes, manifest: Manifest, path: Path) -> LightGBMModel:
    """The model that these bytes, read from `path`, are.

    Raises ArtifactMismatch, RuntimeLibraryMissing.
    """
    model = LightGBMModel(manifest, parse_booster(content, path))
    _check_fits(model, path)
    return model


def ensure_lightgbm_loads() -> None:
    """Import LightGBM; raises RuntimeLibraryMissing saying what to install where that fails."""
    try:
        import_module("lightgbm")
    except OSError as error:
        raise RuntimeLibraryMissing(
            f"LightGBM cannot load a shared library: {error}. If it is libgomp.so.1 (OpenMP), "
            "install the package libgomp1 on Debian and Ubuntu (apt-get install libgomp1), "
            "libgomp on Fedora (dnf install libgomp)."
        ) from error


def parse_booster(content: bytes, path: Path) -> Booster:
    """LightGBM's own object for its text format; raises ArtifactMismatch for anything else."""
    # LightGBM does not raise for a text that breaks off within a tree, it ends the process.
    if not (content.startswith(TEXT_START) and TEXT_END in content):
        raise ArtifactMismatch(f"{path}: not a LightGBM model in text format, or not all of it")
    ensure_lightgbm_loads()
    lightgbm = import_module("lightgbm")
    try:
        booster: Booster = lightgbm.Booster(model_str=content.decode())
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise ArtifactMismatch(f"{path}: not a LightGBM model in text format") from error
    return booster


def _check_fits(model: LightGBMModel, path: Path) -> None:
    booster, expected = model.booster, list(model.manifest.features)
    if booster.num_feature() != len(expected):
        raise ArtifactMismatch(
            f"{path}: {booster.num_feature()} features, the manifest names {len(expected)}"
        )
    if booster.feature_name() != expected:
        raise ArtifactMismatch(f"{path}: the features' names differ from the manifest's")
    if booster.num_model_per_iteration() != 1:
        raise ArtifactMismatch(f"{path}: not a binary classifier")
