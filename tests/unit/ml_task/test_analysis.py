"""What the notebook tells of the data: small cases counted by hand, and facts of the real data."""

import math

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef, mutual_info_score

from data.loader import Dataset
from data.schema import FeatureSchema
from ml_task.associations import associate
from ml_task.columns import count_ones, describe_columns
from ml_task.neighbours import count_flips, find_neighbours
from ml_task.vectors import (
    Balance,
    balance_rows,
    balance_vectors,
    measure_leak,
    tabulate_vectors,
)
from tests.support.datasets import invent_dataset, load_real_dataset

NAMES = ("SEND_SMS", "INTERNET", "La/B;->c")


def make_dataset(rows: list[list[int]], labels: list[int]) -> Dataset:
    """A data set of these rows."""
    matrix = np.array(rows, dtype=np.uint8)
    names = tuple(f"FEATURE_{column}" for column in range(matrix.shape[1]))
    return Dataset(matrix, np.array(labels, dtype=np.uint8), FeatureSchema(names), "0" * 64)


def test_a_vector_with_both_labels_costs_its_rarer_label() -> None:
    table = tabulate_vectors(make_dataset([[0, 1]] * 3 + [[1, 1]] * 2, [1, 1, 0, 0, 0]))
    assert table.vectors.tolist() == [[0, 1], [1, 1]]
    assert table.rows.tolist() == [3, 2]
    assert table.malware_rows.tolist() == [2, 0]
    assert table.labels.tolist() == [1, 0]
    assert table.both.tolist() == [True, False]
    assert table.unavoidable_errors == 1


def test_real_data_is_as_its_card_says() -> None:
    dataset = load_real_dataset()
    table = tabulate_vectors(dataset)
    assert dataset.empty_rows == (2533,)
    assert balance_rows(dataset) == Balance(goodware=899, malware=3565)
    assert balance_vectors(table) == Balance(goodware=529, malware=129, both=2)
    assert table.unavoidable_errors == 13
    assert table.rows[table.both].sum() == 83
    assert measure_leak(dataset) == pytest.approx(0.907, abs=0.01)
    facts = describe_columns(dataset.matrix, dataset.schema.names)
    assert (len(facts.constant), facts.api_calls.sum()) == (42, 27)
    assert facts.api_calls[214:].all()


def test_columns_that_say_nothing_new_are_found() -> None:
    matrix = np.array([[0, 1, 1, 0, 0], [0, 0, 0, 0, 1]], dtype=np.uint8)
    facts = describe_columns(matrix, ("a", "b", "c", "d", "e"))
    assert facts.constant == (0, 3)
    assert sorted(facts.identical) == [(0, 3), (1, 2)]
    assert facts.distinct == 2


def test_a_constant_column_without_a_twin_is_not_distinct() -> None:
    facts = describe_columns(np.array([[0, 1], [0, 0]], dtype=np.uint8), ("a", "b"))
    assert facts.identical == ()
    assert facts.distinct == 1


def test_ones_are_counted_by_kind() -> None:
    matrix = np.array([[1, 1, 0], [0, 1, 1]], dtype=np.uint8)
    permissions, api_calls = count_ones(matrix, describe_columns(matrix, NAMES))
    assert permissions.tolist() == [2, 1]
    assert api_calls.tolist() == [0, 1]


def test_associations_are_those_of_scikit_learn() -> None:
    dataset = invent_dataset()
    found = {
        one.name: one for one in associate(dataset.matrix, dataset.labels, dataset.schema.names, 50)
    }
    for column, name in enumerate(dataset.schema.names):
        feature, one = dataset.matrix[:, column], found[name]
        assert one.phi == pytest.approx(matthews_corrcoef(dataset.labels, feature))
        bits = mutual_info_score(dataset.labels, feature) / math.log(2)
        assert one.bits == pytest.approx(bits)
        assert one.low <= one.phi <= one.high


def test_strongest_association_comes_first_and_constants_do_not_come() -> None:
    rows = [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]]
    found = associate(np.array(rows, np.uint8), np.array([0, 0, 1, 1], np.uint8), NAMES, 10)
    assert [one.name for one in found] == ["SEND_SMS", "INTERNET"]
    assert (found[0].phi, found[0].bits) == (1.0, 1.0)
    assert found[1].phi == 0.0


def test_flips_are_counted_between_all_pairs() -> None:
    vectors = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 1]], dtype=np.uint8)
    assert count_flips(vectors).tolist() == [[0, 1, 3], [1, 0, 2], [3, 2, 0]]


def test_neighbours_are_the_nearest_others() -> None:
    vectors = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1]], dtype=np.uint8)
    found = find_neighbours(vectors, np.array([0, 1, 1], np.uint8), hamming_max=2)
    assert found.nearest_flips.tolist() == [1, 1, 3]
    assert found.nearest_differs.tolist() == [1, 1, 0]
    assert found.cluster_sizes.tolist() == [2, 1]
    assert found.share_within(1) == pytest.approx(2 / 3)
