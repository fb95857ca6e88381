"""The LightGBMScorer deployment: one matrix in, one vector of probabilities out."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.errors import PredictionFailed
from models.lightgbm_model import LightGBMModel, load_model
from models.registry import read_catalog
from serve.ports import Probabilities
from serve.settings import ServeSettings
from serve.validation import unpack_rows


class ModelPool:
    """Every model version of the catalogue, loaded and checked."""

    def __init__(self, settings: ServeSettings) -> None:
        root = settings.models_dir
        self._models: dict[tuple[str, str], LightGBMModel] = {
            (manifest.name, manifest.version): load_model(root, manifest)
            for manifest in read_catalog(root).manifests
        }

    def predict(self, model: str, version: str, packed_rows: bytes, rows: int) -> Probabilities:
        """Probabilities of the positive class, float64 (rows,); NaN where the model failed."""
        loaded = self._models[model, version]
        matrix = unpack_rows(packed_rows, rows, len(loaded.manifest.schema))
        return predict_or_nan(loaded, matrix)


def predict_or_nan(model: LightGBMModel, matrix: np.ndarray[Any, Any]) -> Probabilities:
    """Score `matrix`; where the model fails on some rows, score the others without them."""
    try:
        return model.predict(matrix)
    except PredictionFailed as failure:
        probabilities = np.full(len(matrix), np.nan)
        good = np.setdiff1d(np.arange(len(matrix)), failure.rows or range(len(matrix)))
        if not failure.rows and len(matrix) > 1:
            return np.concatenate([predict_or_nan(model, half) for half in _halves(matrix)])
        if len(good):
            probabilities[good] = predict_or_nan(model, matrix[good])
        return probabilities


def _halves(matrix: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    middle = len(matrix) // 2
    return matrix[:middle], matrix[middle:]


class LightGBMScorer:
    """A replica of the pool; it holds every model version."""

    def __init__(self) -> None:
        self._pool = ModelPool(ServeSettings())

    async def predict(self, model: str, version: str, packed_rows: bytes, rows: int) -> bytes:
        """Probabilities as float64 bytes, one a row."""
        return self._pool.predict(model, version, packed_rows, rows).tobytes()

    async def ready(self) -> bool:
        """Answers once the constructor has loaded and checked the models."""
        return True
