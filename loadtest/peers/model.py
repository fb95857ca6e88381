"""The peer's model: LightGBM in the worker's own process, one thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Row = list[int] | dict[str, int] | list[str]


class UnknownFeature(Exception):
    """A name that the model has no feature for."""


class PeerModel:
    """Reads a LightGBM text file; turns rows into a matrix and a matrix into probabilities."""

    def __init__(self, path: Path) -> None:
        self._booster = lightgbm.Booster(model_file=path)
        self._columns = {name: n for n, name in enumerate(self._booster.feature_name())}

    def matrix(self, rows: Sequence[Row]) -> Matrix:
        """Rows of zeros and ones, float32, shape (len(rows), features)."""
        return np.asarray([self._dense(row) for row in rows], dtype=np.float32)

    def predict(self, matrix: Matrix) -> list[float]:
        """The probability of malware for each row."""
        probabilities = self._booster.predict(matrix, num_threads=1)
        return [float(probability) for probability in np.asarray(probabilities)]

    def _dense(self, row: Row) -> Sequence[int]:
        if isinstance(row, list) and (not row or isinstance(row[0], str)):
            return self._spread({str(name): 1 for name in row})
        if isinstance(row, dict):
            return self._spread(row)
        return [int(flag) for flag in row] if isinstance(row[0], bool) else row

    def _spread(self, flags: dict[str, int]) -> list[int]:
        dense = [0] * len(self._columns)
        for name, flag in flags.items():
            if name not in self._columns:
                raise UnknownFeature(name)
            dense[self._columns[name]] = flag
        return dense
