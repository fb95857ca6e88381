"""Splits: what a test row may share with training, and what never."""

from collections.abc import Callable

import numpy as np
import pytest

from data.loader import Dataset
from ml_task.splits import (
    SPLITS,
    Indices,
    Split,
    find_clusters,
    find_representatives,
    grouped_rows,
    held_out_clusters,
    iter_folds,
    random_rows,
    unique_vectors,
)
from tests.support.datasets import invent_dataset, load_real_dataset

MakeSplit = Callable[[Dataset], Split]
HONEST = [grouped_rows, unique_vectors, held_out_clusters]


def rows_of(dataset: Dataset, rows: Indices) -> set[bytes]:
    return {row.tobytes() for row in dataset.matrix[rows]}


@pytest.mark.parametrize("make", HONEST)
def test_no_vector_stands_on_both_sides(make: MakeSplit) -> None:
    dataset = load_real_dataset()
    for training, scored in iter_folds(make(dataset), dataset.labels, folds=5, seed=0):
        assert not rows_of(dataset, training) & rows_of(dataset, scored)


@pytest.mark.parametrize("make", HONEST)
def test_no_invented_vector_stands_on_both_sides(make: MakeSplit) -> None:
    for seed in range(5):
        dataset = invent_dataset(seed=seed)
        for training, scored in iter_folds(make(dataset), dataset.labels, folds=3, seed=seed):
            assert not rows_of(dataset, training) & rows_of(dataset, scored)


def test_held_out_clusters_are_more_than_two_flips_from_training() -> None:
    dataset = load_real_dataset()
    for training, scored in iter_folds(held_out_clusters(dataset), dataset.labels, 5, 0):
        near = np.unique(dataset.matrix[training], axis=0).astype(int)
        far = dataset.matrix[scored].astype(int)
        flips = near.sum(1)[:, None] + far.sum(1) - 2 * near @ far.T
        assert flips.min() > 2


def test_random_rows_leak_and_say_so() -> None:
    dataset = load_real_dataset()
    split = random_rows(dataset)
    training, scored = next(iter_folds(split, dataset.labels, folds=5, seed=0))
    seen = rows_of(dataset, training)
    share = np.mean([row.tobytes() in seen for row in dataset.matrix[scored]])
    assert split.leaks
    assert share == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("make", SPLITS)
def test_each_tested_row_is_scored_once(make: MakeSplit) -> None:
    dataset = invent_dataset()
    split = make(dataset)
    folds = [scored for _, scored in iter_folds(split, dataset.labels, folds=4, seed=1)]
    assert sorted(np.concatenate(folds).tolist()) == sorted(split.tested.tolist())


@pytest.mark.parametrize("make", SPLITS)
def test_equal_seeds_give_equal_folds_and_others_do_not(make: MakeSplit) -> None:
    dataset = invent_dataset()
    split = make(dataset)

    def first(seed: int) -> list[int]:
        return next(iter_folds(split, dataset.labels, folds=4, seed=seed))[1].tolist()

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_real_data_has_660_vectors_in_407_clusters() -> None:
    dataset = load_real_dataset()
    assert len(unique_vectors(dataset).tested) == 660
    assert len(np.unique(held_out_clusters(dataset).groups)) == 407


def test_clusters_join_through_neighbours() -> None:
    steps = np.array([[0] * 6, [1, 1, 0, 0, 0, 0], [1] * 4 + [0, 0], [0, 0, 0, 1, 1, 1]], np.uint8)
    assert find_clusters(steps).tolist() == [0, 0, 0, 1]


def test_representative_has_the_label_of_most_rows() -> None:
    vectors = np.array([0, 0, 0, 1, 1])
    labels = np.array([1, 0, 0, 0, 1], dtype=np.uint8)
    assert find_representatives(vectors, labels).tolist() == [1, 4]
