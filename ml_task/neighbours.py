"""Near-duplicates: how far each unique vector is from the others, in flips of a feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.loader import Matrix
from ml_task.splits import HAMMING_MAX, Indices, find_clusters


@dataclass(frozen=True, slots=True)
class Neighbours:
    """By vector: flips to the nearest other one, whether its label differs, and the cluster."""

    nearest_flips: Indices
    nearest_differs: Matrix
    clusters: Indices

    @property
    def cluster_sizes(self) -> Indices:
        """Vectors in each cluster, the largest first."""
        return np.sort(np.bincount(self.clusters))[::-1].astype(np.int64)

    def share_within(self, flips: int) -> float:
        """The share of vectors that have another within so many flips."""
        return float((self.nearest_flips <= flips).mean())


def find_neighbours(vectors: Matrix, labels: Matrix, hamming_max: int = HAMMING_MAX) -> Neighbours:
    """Compare all pairs of unique vectors."""
    flips = count_flips(vectors)
    np.fill_diagonal(flips, vectors.shape[1] + 1)
    nearest = flips.argmin(axis=1)
    return Neighbours(
        flips.min(axis=1),
        (labels[nearest] != labels).astype(np.uint8),
        find_clusters(vectors, hamming_max),
    )


def count_flips(vectors: Matrix) -> Indices:
    """Hamming distances of all pairs, (v, v)."""
    wide = vectors.astype(np.float64)  # a product of floats is BLAS's, of integers it is not
    ones = wide.sum(axis=1)
    flips: Indices = (ones[:, None] + ones - 2 * wide @ wide.T).round().astype(np.int64)
    return flips
