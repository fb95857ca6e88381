"""How models are tuned, compared, calibrated, explained, sized and blamed."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from data.loader import Dataset, Matrix
from ml_task.calibration import measure_log_loss, measure_reliability
from ml_task.candidates import CANDIDATES, MAJORITY, Candidate, Setting, fit_share
from ml_task.comparison import compare
from ml_task.contributions import explain, measure_gain
from ml_task.evaluate import OutOfFold, Plan, measure, predict_out_of_fold
from ml_task.mistakes import find_contradictions, find_worst, judge_vectors
from ml_task.nested import brier, run_nested
from ml_task.recipe import Fit, Predict, Recipe, fit_booster
from ml_task.sizes import is_as_good, measure_sizes
from ml_task.splits import find_clusters, find_vectors, held_out_clusters, unique_vectors
from ml_task.vectors import tabulate_vectors
from tests.support.datasets import invent_dataset

PLAN = Plan(seeds=(0,), folds=3, resamples=40)
SMALL = Recipe(trees=5, leaves=4, learning_rate=0.3)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return invent_dataset()


@pytest.fixture(scope="module")
def small(dataset: Dataset) -> OutOfFold:
    """A small model's probabilities for unique vectors."""
    return predict_out_of_fold(dataset, unique_vectors(dataset), PLAN, SMALL.fit)


def say_always(setting: Setting) -> Fit:
    """A model that says one probability."""

    def fit(matrix: Matrix, _labels: Matrix) -> Predict:
        return lambda rows: np.full(len(rows), float(setting["said"]))

    return fit


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda one: one.name)
def test_every_candidate_gives_probabilities(dataset: Dataset, candidate: Candidate) -> None:
    found = candidate.untuned(dataset.matrix, dataset.labels)(dataset.matrix[:7])
    assert found.shape == (7,)
    assert ((found >= 0) & (found <= 1)).all()


def test_baseline_says_the_share_of_vectors_and_not_of_rows() -> None:
    matrix = np.array([[0, 1]] * 8 + [[1, 0]], dtype=np.uint8)
    labels = np.array([1] * 8 + [0], dtype=np.uint8)
    assert fit_share(matrix, labels)(matrix[:1]).tolist() == [0.5]


def test_a_baseline_can_be_measured(dataset: Dataset) -> None:
    found = predict_out_of_fold(dataset, unique_vectors(dataset), PLAN, MAJORITY.untuned)
    assert measure(found, PLAN).roc_auc.mean == pytest.approx(0.5, abs=0.2)


def test_tuning_takes_the_setting_with_the_least_brier_score(dataset: Dataset) -> None:
    settings = ({"said": 1.0}, {"said": 0.5}, {"said": 0.0})
    candidate = Candidate("one word", say_always, settings)
    run = run_nested(dataset, unique_vectors, candidate, PLAN, inner_folds=2)
    assert run.chosen == ({"said": 0.5},) * 3
    assert brier(run.out_of_fold) == 0.25


def test_tuning_never_sees_the_test_rows_nor_their_clusters(dataset: Dataset) -> None:
    fitted: list[Matrix] = []

    def build(setting: Setting) -> Fit:
        def fit(matrix: Matrix, labels: Matrix) -> Predict:
            fitted.append(matrix)
            return say_always(setting)(matrix, labels)

        return fit

    candidate = Candidate("witness", build, ({"said": 0.2}, {"said": 0.8}))
    outer = Plan(seeds=(0,), folds=3)
    run_nested(dataset, held_out_clusters, candidate, outer, inner_folds=2)
    per_fold = 2 * 2 + 1  # two settings on two inner folds, then the chosen one on all
    assert len(fitted) == outer.folds * per_fold
    clusters = {
        row.tobytes(): one
        for row, one in zip(dataset.matrix, find_clusters(dataset.matrix), strict=True)
    }
    for fold in range(outer.folds):
        *inner, whole = (
            {clusters[row.tobytes()] for row in matrix}
            for matrix in fitted[fold * per_fold : (fold + 1) * per_fold]
        )
        assert len(whole) < len(set(clusters.values()))
        assert all(one < whole for one in inner)
        # What one inner fold trains on, the other tests: no cluster is on both sides.
        assert inner[0].isdisjoint(inner[1])


def test_a_model_does_not_differ_from_itself(small: OutOfFold) -> None:
    for difference in compare(small, small, PLAN).values():
        assert (difference.mean, difference.low, difference.high) == (0, 0, 0)


def test_a_better_model_is_seen_to_be_better(dataset: Dataset, small: OutOfFold) -> None:
    baseline = predict_out_of_fold(dataset, unique_vectors(dataset), PLAN, fit_share)
    difference = compare(small, baseline, PLAN)["brier"]
    assert difference.low <= difference.mean <= difference.high < 0


def test_losses_are_those_of_scikit_learn(small: OutOfFold) -> None:
    [said] = small.probabilities
    assert brier(small) == pytest.approx(brier_score_loss(small.labels, said))
    loss = measure_log_loss(small)
    assert loss.mean == pytest.approx(log_loss(small.labels, said))
    assert loss.low < loss.mean < loss.high


def test_reliability_counts_every_row_once(small: OutOfFold) -> None:
    found = measure_reliability(small)
    assert found.rows.sum() == len(small.labels)
    assert (found.rows * found.observed).sum() == small.labels.sum()
    assert (found.rows * found.predicted).sum() == pytest.approx(small.probabilities.sum())
    assert (found.low <= found.observed).all()
    assert (found.observed <= found.high).all()


def test_contributions_and_base_sum_to_the_raw_score(dataset: Dataset) -> None:
    booster = fit_booster(dataset.matrix, dataset.labels, dataset.schema.names, SMALL)
    found = explain(booster, dataset.matrix)
    raw = booster.predict(dataset.matrix, raw_score=True)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, raw, atol=1e-9)
    strongest = found.rank(3)
    assert found.mean_size[strongest[0]] == found.mean_size.max()
    assert measure_gain(booster).sum() == pytest.approx(1)


def test_contradictions_and_the_worst_are_found(dataset: Dataset) -> None:
    labels = dataset.labels.copy()
    vectors = find_vectors(dataset.matrix)
    rows = np.flatnonzero(vectors == np.bincount(vectors).argmax())
    labels[rows[0]] = 1 - labels[rows[0]]
    mixed = Dataset(dataset.matrix, labels, dataset.schema, dataset.sha256)
    said = predict_out_of_fold(mixed, unique_vectors(mixed), PLAN, SMALL.fit)
    judged = judge_vectors(mixed, tabulate_vectors(mixed), said)
    [found] = find_contradictions(judged)
    assert found.rows == len(rows)
    assert len(found.features) == dataset.matrix[rows[0]].sum()
    worst = find_worst(judged, 5)
    assert [one.loss for one in worst] == sorted((one.loss for one in judged), reverse=True)[:5]
    assert sum(one.loss for one in judged) / len(judged) == pytest.approx(brier(said))


def test_sizes_are_measured_and_held_against_a_reference(dataset: Dataset) -> None:
    recipes = (SMALL, Recipe(trees=1, leaves=2, learning_rate=0.01))
    small, stump = measure_sizes(dataset, unique_vectors(dataset), recipes, PLAN, repeats=2)
    assert small.recipe == SMALL
    assert small.speed.one_row_microseconds > 0
    assert small.speed.bulk_rows_per_second > 0
    assert is_as_good(small, small, PLAN)
    assert is_as_good(small, stump, PLAN)
    assert not is_as_good(stump, small, PLAN)
