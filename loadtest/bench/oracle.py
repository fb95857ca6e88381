"""The right answers, computed beforehand from the same model file with the lightgbm package."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

from loadtest.champion import champion_file
from loadtest.inputs import FEATURES, Row, make_row

SEED = 241

Matrix = NDArray[np.uint8]


class Oracle:
    """The model in this process, one thread."""

    def __init__(self, path: Path | None = None) -> None:
        """The product's champion by default."""
        path = path or champion_file()
        if not path.exists():
            raise ValueError(f"the benchmark checks answers with the model file {path}: not there")
        self._booster = lightgbm.Booster(model_file=path)

    @property
    def features(self) -> list[str]:
        """Feature names in the order of a dense row."""
        names: list[str] = self._booster.feature_name()
        return names

    def score(self, rows: Sequence[Row]) -> list[float]:
        """The probability of each row."""
        return [float(p) for p in self._predict(np.asarray(rows, dtype=np.uint8))]

    def rows_per_second(self, matrix: Matrix, chunk_rows: int, seconds: float) -> float:
        """Speed of `Booster.predict` alone over `matrix` (uint8), `chunk_rows` rows a call."""
        chunks = [matrix[at : at + chunk_rows] for at in range(0, len(matrix), chunk_rows)]
        self._predict(chunks[0])
        began, rows = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < seconds:
            chunk = chunks[rows // chunk_rows % len(chunks)]
            rows += len(self._predict(chunk))
        return rows / elapsed

    def _predict(self, matrix: Matrix) -> NDArray[np.float64]:
        return np.asarray(self._booster.predict(matrix, num_threads=1), dtype=np.float64)


def make_rows(count: int, seed: int = SEED) -> list[Row]:
    """Synthetic applications, the same in each benchmark."""
    source = random.Random(seed)
    return [make_row(source, FEATURES) for _ in range(count)]
