"""What every kind of model can do, and what is asked of a probability."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.errors import PredictionFailed
from models.manifest import Manifest

Matrix: TypeAlias = NDArray[np.uint8]
Probabilities: TypeAlias = NDArray[np.float64]
Contributions: TypeAlias = NDArray[np.float64]


class Model(Protocol):
    """A loaded model. Predicting is safe from several threads at once."""

    @property
    def manifest(self) -> Manifest:
        """What the model is."""
        ...

    def predict(self, matrix: Matrix) -> Probabilities:
        """Probabilities of the positive label, float64 (n,), for a uint8 matrix (n, features).

        Raises PredictionFailed naming the rows without a probability; where the library itself
        raises or the shape is wrong these are all rows.
        """
        ...

    def explain(self, matrix: Matrix) -> Contributions:
        """Contributions to the log-odds, float64 (n, features + 1), the base value last.

        A row's sum is its log-odds. Raises ExplanationUnsupported, PredictionFailed.
        """
        ...


def check_shape(matrix: Matrix, manifest: Manifest) -> None:
    """Raise PredictionFailed for all rows where the matrix has not the model's width."""
    if matrix.shape != (len(matrix), len(manifest.features)):
        raise PredictionFailed(f"the matrix has the shape {matrix.shape}", range(len(matrix)))


def check_probabilities(probabilities: Probabilities) -> Probabilities:
    """Return them, or raise PredictionFailed naming the rows that are not from 0 to 1."""
    # A NaN fails both comparisons, so one pass finds NaN, infinities and what is out of range.
    sound = (probabilities >= 0.0) & (probabilities <= 1.0)
    if not sound.all():
        raise PredictionFailed("not a probability", np.flatnonzero(~sound).tolist())
    return probabilities
