"""Unique rows: what numpy finds, in its order."""

import numpy as np
import pytest

from ml_task.unique import find_unique


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 241])
def test_rows_order_and_counts_are_those_of_numpy(columns: int) -> None:
    random = np.random.default_rng(columns)
    few = random.integers(0, 2, (30, columns), dtype=np.uint8)
    matrix = few[random.integers(0, 30, 500)]
    rows, inverse, counts = np.unique(matrix, axis=0, return_inverse=True, return_counts=True)
    found = find_unique(matrix)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.inverse, inverse.reshape(-1))
    np.testing.assert_array_equal(found.counts, counts)
