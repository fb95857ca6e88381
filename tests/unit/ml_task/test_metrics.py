"""The metrics agree with scikit-learn, also under weights, ties and left-out rows."""

import numpy as np
import pytest
from sklearn import metrics as reference

from data.loader import Matrix
from ml_task.metrics import METRICS, Floats, score


def score_by_reference(labels: Matrix, probabilities: Floats, weights: Floats) -> dict[str, float]:
    decided = probabilities >= 0.5
    return {
        "accuracy": reference.accuracy_score(labels, decided, sample_weight=weights),
        "f1_macro": reference.f1_score(labels, decided, average="macro", sample_weight=weights),
        "f1_positive": reference.f1_score(labels, decided, sample_weight=weights),
        "roc_auc": reference.roc_auc_score(labels, probabilities, sample_weight=weights),
        "pr_auc": reference.average_precision_score(labels, probabilities, sample_weight=weights),
        "mcc": reference.matthews_corrcoef(labels, decided, sample_weight=weights),
        "brier": reference.brier_score_loss(labels, probabilities, sample_weight=weights),
    }


@pytest.mark.parametrize("seed", range(5))
def test_metrics_are_those_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 200).astype(np.uint8)
    # Rounded, so that probabilities tie.
    probabilities = (0.4 * labels + 0.6 * random.random(200)).round(2)
    weights = np.vstack([np.ones(200), random.poisson(1, (3, 200))]).astype(float)
    found = score(labels, probabilities, weights)
    for column, row_weights in enumerate(weights):
        expected = score_by_reference(labels, probabilities, row_weights)
        assert dict(zip(METRICS, found[:, column], strict=True)) == pytest.approx(expected)
