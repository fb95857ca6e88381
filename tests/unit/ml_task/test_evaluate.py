"""Out-of-fold measuring and the choice of the threshold."""

import numpy as np
import pytest

from data.loader import Matrix
from ml_task.evaluate import OutOfFold, Plan, measure, predict_out_of_fold, resample_groups
from ml_task.recipe import Predict
from ml_task.splits import grouped_rows, random_rows
from ml_task.threshold import choose_threshold
from tests.support.datasets import invent_dataset

PLAN = Plan(seeds=(0, 1), folds=3, resamples=50)


def memorise(matrix: Matrix, labels: Matrix) -> Predict:
    """Knows the labels of the vectors it saw and says 0.25 for all others."""
    seen = dict(zip((row.tobytes() for row in matrix), labels.tolist(), strict=True))
    return lambda rows: np.array([float(seen.get(row.tobytes(), 0.25)) for row in rows])


def test_memory_is_worth_nothing_where_vectors_are_grouped() -> None:
    dataset = invent_dataset()
    leaking = predict_out_of_fold(dataset, random_rows(dataset), PLAN, memorise)
    honest = predict_out_of_fold(dataset, grouped_rows(dataset), PLAN, memorise)
    assert (honest.probabilities == 0.25).all()
    assert (leaking.probabilities != 0.25).mean() > 0.8


def test_interval_holds_the_mean() -> None:
    dataset = invent_dataset()
    found = measure(predict_out_of_fold(dataset, grouped_rows(dataset), PLAN), PLAN)
    for estimate in (found.accuracy, found.roc_auc, found.brier):
        assert estimate.low < estimate.mean < estimate.high


def test_groups_are_drawn_whole() -> None:
    draws = resample_groups(np.array([7, 7, 3, 3, 3, 5]), resamples=20)
    assert (draws[:, 0] == draws[:, 1]).all()
    assert (draws[:, [2]] == draws[:, 2:5]).all()
    assert (draws[:, [0, 2, 5]].sum(axis=1) == 3).all()


def out_of_fold(labels: Matrix, probabilities: np.ndarray) -> OutOfFold:
    split = grouped_rows(invent_dataset())
    return OutOfFold(split, probabilities[None, :], labels, np.arange(len(labels)))


def test_costlier_misses_lower_the_threshold() -> None:
    random = np.random.default_rng(0)
    probabilities = random.random(4000)
    calibrated = out_of_fold((random.random(4000) < probabilities).astype(np.uint8), probabilities)
    even, costly = choose_threshold(calibrated, 1.0), choose_threshold(calibrated, 5.0)
    # Of calibrated probabilities the cheapest threshold is 1 / (1 + cost ratio).
    assert even.threshold == pytest.approx(1 / 2, abs=0.06)
    assert costly.threshold == pytest.approx(1 / 6, abs=0.06)
    assert costly.recall > even.recall


def test_decision_states_what_it_costs() -> None:
    labels = np.array([1] * 50 + [0] * 50, dtype=np.uint8)
    perfect = choose_threshold(out_of_fold(labels, np.where(labels == 1, 0.9, 0.1)))
    assert (perfect.recall, perfect.false_positive_rate) == (1.0, 0.0)
    assert 0.1 < perfect.threshold <= 0.9
