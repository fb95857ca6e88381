"""The LightGBMScorer deployment: one matrix in, one vector of probabilities out."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.errors import ManifestInvalid, PredictionFailed
from models.loading import load_model
from models.prediction import Model
from models.registry import read_catalog
from serve.lanes import LaneAddress, LaneServer
from serve.load import LOAD, CpuShare
from serve.logs import configure_logs
from serve.node import lane_host
from serve.ports import Probabilities
from serve.settings import ServeSettings
from serve.transfer import decode_rows
from serve.validation import unpack_rows


class ModelPool:
    """Every model version of the catalogue, loaded and checked."""

    def __init__(self, settings: ServeSettings) -> None:
        root = settings.models_dir
        catalog = read_catalog(root)
        if not catalog.served:
            raise ManifestInvalid(f"there is no model in {root}")
        self._models: dict[tuple[str, str], Model] = {
            (manifest.name, manifest.version): load_model(root, manifest)
            for manifest in catalog.served
        }

    def predict(self, model: str, version: str, packed_rows: bytes, rows: int) -> Probabilities:
        """Probabilities of the positive class, float64 (rows,); NaN where the model failed."""
        loaded = self._models[model, version]
        matrix = unpack_rows(packed_rows, rows, len(loaded.manifest.feature_schema))
        return predict_or_nan(loaded, matrix)


def predict_or_nan(model: Model, matrix: np.ndarray[Any, Any]) -> Probabilities:
    """Score `matrix`, float64 (n,); NaN for the rows that the model fails on, and for these alone.

    A failure that names some rows is repeated without them; one that blames all is halved.
    """
    try:
        return model.predict(matrix)
    except PredictionFailed as failure:
        failed = np.zeros(len(matrix), dtype=bool)
        failed[list(failure.rows)] = True
    if failed.all():
        if len(matrix) == 1:
            return np.array([np.nan])
        middle = len(matrix) // 2
        halves = (matrix[:middle], matrix[middle:])
        return np.concatenate([predict_or_nan(model, half) for half in halves])
    probabilities = np.full(len(matrix), np.nan)
    probabilities[~failed] = predict_or_nan(model, matrix[~failed])
    return probabilities


class LightGBMScorer:
    """A replica of the pool; it holds every model version."""

    async def __init__(self) -> None:  # type: ignore[misc] # Ray awaits it: lanes need the loop
        configure_logs()
        settings = ServeSettings()
        self._pool = ModelPool(settings)
        self._cpu = CpuShare()
        self._lanes = LaneServer(self.take)
        self._address = await self._lanes.start(lane_host(settings))

    async def take(self, asked: bytes) -> bytes:
        """Probabilities as float64 bytes, one a row, for what `encode_rows` made."""
        return self._pool.predict(*decode_rows(asked)).tobytes()

    async def lane(self) -> LaneAddress:
        """Where this replica takes calls without Ray in between."""
        return self._address

    async def ready(self) -> bool:
        """Answers once the constructor has loaded and checked the models."""
        return True

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Ray counts no calls over lanes: this is what the pool is scaled by."""
        return {LOAD: self._cpu.take()}

    async def __del__(self) -> None:
        await self._lanes.close()
