"""How much a single feature says of the label, counted over unique vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.loader import Matrix
from ml_task.evaluate import INTERVAL, resample_groups
from ml_task.metrics import Floats

RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Association:
    """One feature and the label: phi coefficient with its 95 % bootstrap interval.

    `bits` is the mutual information; shares are those of the label's vectors with the feature.
    """

    name: str
    phi: float
    low: float
    high: float
    bits: float
    share_of_malware: float
    share_of_goodware: float


def associate(
    vectors: Matrix, labels: Matrix, names: tuple[str, ...], resamples: int = RESAMPLES
) -> list[Association]:
    """Every feature that varies, the strongest first."""
    numbers = np.arange(len(labels), dtype=np.int64)
    weights = np.vstack([np.ones(len(labels)), resample_groups(numbers, resamples)])
    varying = np.flatnonzero(vectors.min(axis=0) < vectors.max(axis=0))
    cells = count_cells(vectors[:, varying].astype(np.float64), labels.astype(np.float64), weights)
    phi, bits = _phi(cells), _bits(cells)[0]
    low, high = np.quantile(phi[1:], INTERVAL, axis=0)
    found = [
        Association(
            names[column],
            float(phi[0, place]),
            float(low[place]),
            float(high[place]),
            float(bits[place]),
            float(vectors[labels == 1, column].mean()),
            float(vectors[labels == 0, column].mean()),
        )
        for place, column in enumerate(varying)
    ]
    return sorted(found, key=lambda one: -abs(one.phi))


def count_cells(features: Floats, positive: Floats, weights: Floats) -> Floats:
    """Four-field tables, (2, 2, weightings, features): feature absent or present, then label."""
    present = np.stack(
        [weights @ (features * (1 - positive)[:, None]), (weights * positive) @ features]
    )
    totals = np.stack([weights @ (1 - positive), weights @ positive])[:, :, None]
    return np.stack([totals - present, present])


def _phi(cells: Floats) -> Floats:
    of_feature, of_label = cells.sum(axis=1), cells.sum(axis=0)
    spread = np.sqrt(of_feature.prod(axis=0) * of_label.prod(axis=0))
    found: Floats = (cells[1, 1] * cells[0, 0] - cells[1, 0] * cells[0, 1]) / np.maximum(
        spread, 1e-12
    )
    return found


def _bits(cells: Floats) -> Floats:
    joint = cells / cells.sum(axis=(0, 1))
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    ratio = np.divide(joint, expected, out=np.ones_like(joint), where=joint > 0)
    found: Floats = (joint * np.log2(ratio)).sum(axis=(0, 1))
    return found
