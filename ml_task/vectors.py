"""The unique feature vectors behind the rows, and how many rows of each label they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.loader import Dataset, Matrix
from ml_task.splits import Indices, find_vectors, iter_folds, random_rows
from ml_task.unique import find_unique


@dataclass(frozen=True, slots=True)
class VectorTable:
    """`vectors` (v, features), with the number of rows and of malware rows of each."""

    vectors: Matrix
    rows: Indices
    malware_rows: Indices

    @property
    def both(self) -> NDArray[np.bool_]:
        """Which vectors carry both labels."""
        return (self.malware_rows > 0) & (self.malware_rows < self.rows)

    @property
    def labels(self) -> Matrix:
        """The label that most of a vector's rows have; a tie counts as malware."""
        return (2 * self.malware_rows >= self.rows).astype(np.uint8)

    @property
    def unavoidable_errors(self) -> int:
        """Rows that no function of the features can label rightly."""
        return int(np.minimum(self.malware_rows, self.rows - self.malware_rows).sum())


@dataclass(frozen=True, slots=True)
class Balance:
    """How many of something are goodware, malware, or both."""

    goodware: int
    malware: int
    both: int = 0

    @property
    def malware_share(self) -> float:
        """The share of malware; what is both counts in the whole only."""
        return self.malware / (self.goodware + self.malware + self.both)


def tabulate_vectors(dataset: Dataset) -> VectorTable:
    """Collapse the rows; the vectors' order is that of `find_vectors`."""
    found = find_unique(dataset.matrix)
    malware_rows = np.bincount(found.inverse, weights=dataset.labels).astype(np.int64)
    return VectorTable(found.rows, found.counts, malware_rows)


def balance_rows(dataset: Dataset) -> Balance:
    """The labels of the rows."""
    malware = int(dataset.labels.sum())
    return Balance(len(dataset.labels) - malware, malware)


def balance_vectors(table: VectorTable) -> Balance:
    """The labels of the unique vectors."""
    both = int(table.both.sum())
    malware = int((table.malware_rows == table.rows).sum())
    return Balance(len(table.rows) - malware - both, malware, both)


def measure_leak(dataset: Dataset, folds: int = 5, seed: int = 0) -> float:
    """The share of test rows of a random split whose exact vector is in training."""
    vectors = find_vectors(dataset.matrix)
    leaked = [
        np.isin(vectors[scored], vectors[training])
        for training, scored in iter_folds(random_rows(dataset), dataset.labels, folds, seed)
    ]
    return float(np.concatenate(leaked).mean())
