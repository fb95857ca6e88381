"""The LightGBMScorer deployment: one matrix in, one vector of probabilities out."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from billing.settings import BillingSettings
from models.errors import PredictionFailed
from models.explanations import Explanations, explain_rows
from models.prediction import Model
from serve.drift_counts import ScoredCounts
from serve.drift_recording import DriftRecording
from serve.lanes import LaneAddress, LaneServer
from serve.load import LOAD, CpuShare
from serve.loaded_models import LoadedModels
from serve.logs import configure_logs
from serve.node import lane_host
from serve.ports import Probabilities
from serve.settings import ServeSettings
from serve.transfer import NOT_LOADED, decode_rows
from serve.validation import unpack_rows


class ModelPool:
    """Scores by whichever model version is asked for."""

    def __init__(self, settings: ServeSettings, scored: ScoredCounts | None = None) -> None:
        """What is scored is counted in `scored`, for drift."""
        self.scored = scored or ScoredCounts()
        self.loaded = LoadedModels(settings.models_dir)

    def predict(
        self, model: str, version: str, packed_rows: bytes, rows: int, *, counts: bool = True
    ) -> Probabilities:
        """Probabilities of the positive class, float64 (rows,); NaN where the model failed.

        `counts`: whether drift is to be reckoned from these rows.
        """
        loaded = self.loaded[model, version]
        matrix = unpack_rows(packed_rows, rows, len(loaded.manifest.feature_schema))
        probabilities = predict_or_nan(loaded, matrix)
        if counts:
            self.scored.add(model, version, matrix, probabilities)
        return probabilities

    def explain(
        self,
        model: str,
        version: str,
        packed_rows: bytes,
        rows: int,
        features_max: int,
        *,
        counts: bool = True,
    ) -> Explanations:
        """What contributed most to the probabilities, which are NaN where the model failed."""
        loaded = self.loaded[model, version]
        matrix = unpack_rows(packed_rows, rows, len(loaded.manifest.feature_schema))
        probabilities = predict_or_nan(loaded, matrix)
        if counts:
            self.scored.add(model, version, matrix, probabilities)
        return explain_rows(loaded, matrix, probabilities, features_max)


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
        self._drift = DriftRecording(BillingSettings(), settings)
        self._pool = ModelPool(settings, self._drift.counts)
        self._cpu = CpuShare()
        self._following = asyncio.create_task(self._pool.loaded.keep_current())
        self._lanes = LaneServer(self.take)
        self._address = await self._lanes.start(lane_host(settings))

    async def take(self, asked: bytes) -> bytes:
        """Probabilities as float64 bytes, or rows of `row_type`, for what `encode_rows` made.

        NOT_LOADED where the version cannot be loaded.
        """
        model, version, packed_rows, rows, explained_features, counts = decode_rows(asked)
        loaded = self._pool.loaded
        if (model, version) not in loaded and not await loaded.fetch(model, version):
            return NOT_LOADED
        if not rows:
            return b""
        if explained_features:
            return self._pool.explain(
                model, version, packed_rows, rows, explained_features, counts=counts
            ).tobytes()
        return self._pool.predict(model, version, packed_rows, rows, counts=counts).tobytes()

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
        self._following.cancel()
        await asyncio.wait([self._following])
        await self._drift.close()
