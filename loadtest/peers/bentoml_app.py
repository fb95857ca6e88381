"""BentoML with adaptive batching, in its own environment: two workers, each with its own batches.

Nothing stands in front of the batches: a second service there would add a hop to each request.
"""

from __future__ import annotations

import os

import bentoml
import lightgbm
import numpy as np

WORKERS = 2
BATCH_ROWS_MAX = 64
REQUEST_SECONDS_MAX = 30
LATENCY_MILLISECONDS_MAX = 10_000
"""Requests whose wait grows past it are refused: far above what the benchmark's load makes."""


@bentoml.service(
    workers=WORKERS,
    traffic={"timeout": REQUEST_SECONDS_MAX},
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)
class Scorer:
    """Clients send one row each; BentoML joins what waits and splits the answers again."""

    def __init__(self) -> None:
        self._booster = lightgbm.Booster(model_file=os.environ["PEER_MODEL"])

    # On the event loop: a batch takes less time than a thread's wake-up.
    @bentoml.api(  # type: ignore[untyped-decorator]  # not installed where types are checked
        batchable=True, max_batch_size=BATCH_ROWS_MAX, max_latency_ms=LATENCY_MILLISECONDS_MAX
    )
    async def predict(self, rows: np.ndarray) -> np.ndarray:
        """The probability of malware for each row of shape (rows, features)."""
        return np.asarray(self._booster.predict(rows, num_threads=1))
