"""Ways to part the data set into folds; they differ in what a test row may share with training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN
from sklearn.model_selection import StratifiedGroupKFold

from data.loader import Dataset, Matrix
from ml_task.unique import find_unique

HAMMING_MAX = 2

Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Folds hold whole groups; only the rows in `tested` are scored.

    `groups` gives each row's group, by row. `tested` are row indices. `leaks` says that a vector
    may stand on both sides. Training uses every row outside the fold.
    """

    name: str
    about: str
    groups: Indices
    tested: Indices
    leaks: bool = False


def find_vectors(matrix: Matrix) -> Indices:
    """Each row's number among the unique vectors; equal rows have equal numbers."""
    return find_unique(matrix).inverse


def find_clusters(matrix: Matrix, hamming_max: int = HAMMING_MAX) -> Indices:
    """Each row's cluster: vectors within `hamming_max` flips of each other, and so on, join."""
    found = find_unique(matrix)
    # With one sample enough for a core, DBSCAN is single linkage; manhattan counts the flips.
    linkage: Any = DBSCAN(eps=hamming_max, min_samples=1, metric="manhattan")
    clusters = linkage.fit_predict(found.rows.astype(np.float64))
    by_row: Indices = clusters[found.inverse].astype(np.int64)
    return by_row


def find_representatives(vectors: Indices, labels: Matrix) -> Indices:
    """One row for each vector, with the label that most of the vector's rows have."""
    rows: list[int] = []
    for vector in range(int(vectors.max()) + 1):
        members = np.flatnonzero(vectors == vector)
        majority = int(labels[members].mean() >= 0.5)  # noqa: PLR2004 (a tie counts as malware)
        rows.append(int(members[labels[members] == majority][0]))
    return np.array(rows, dtype=np.int64)


def random_rows(dataset: Dataset) -> Split:
    """Rows at random: most test rows have their exact vector in training. Never a headline."""
    rows = np.arange(len(dataset.labels), dtype=np.int64)
    return Split("random_rows", "rows at random (leaks)", rows, rows, leaks=True)


def grouped_rows(dataset: Dataset) -> Split:
    """All rows, but a vector's rows stay together."""
    rows = np.arange(len(dataset.labels), dtype=np.int64)
    return Split("grouped_rows", "rows, grouped by vector", find_vectors(dataset.matrix), rows)


def unique_vectors(dataset: Dataset) -> Split:
    """One test row for each unique vector, labelled by its rows' majority."""
    vectors = find_vectors(dataset.matrix)
    tested = find_representatives(vectors, dataset.labels)
    return Split("unique_vectors", "one row per unique vector", vectors, tested)


def held_out_clusters(dataset: Dataset) -> Split:
    """One test row for each unique vector; vectors within two flips of it are held out with it."""
    tested = find_representatives(find_vectors(dataset.matrix), dataset.labels)
    clusters = find_clusters(dataset.matrix)
    return Split("held_out_clusters", "unique, Hamming <= 2 clusters held out", clusters, tested)


SPLITS: tuple[Callable[[Dataset], Split], ...] = (
    random_rows,
    grouped_rows,
    unique_vectors,
    held_out_clusters,
)


def iter_folds(
    split: Split, labels: Matrix, folds: int, seed: int
) -> Iterator[tuple[Indices, Indices]]:
    """Yield (training rows, scored rows) of each fold, stratified by label, shuffled by `seed`."""
    scored = np.zeros(len(labels), dtype=bool)
    scored[split.tested] = True
    # Stratify what is scored: the fold of a group follows from its scored rows alone.
    splitter: Any = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    tested_groups = split.groups[split.tested]
    parts = splitter.split(split.tested, labels[split.tested], tested_groups)
    for _, held_out in parts:
        outside = ~np.isin(split.groups, tested_groups[held_out])
        yield np.flatnonzero(outside), split.tested[held_out]
