"""Percentiles and medians."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench.percentiles import median, percentile

VALUES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=50)


def test_percentiles_of_one_to_a_hundred_are_the_numbers_themselves() -> None:
    values = list(range(100, 0, -1))
    assert [percentile(values, p) for p in (1, 50, 99, 100)] == [1, 50, 99, 100]


@given(VALUES, st.integers(1, 100))
def test_a_percentile_is_a_value_that_enough_values_do_not_exceed(
    values: list[int], percent: int
) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_the_median_of_an_even_number_lies_between_the_middle_two() -> None:
    assert median([4, 1, 3, 2]) == 2.5


def test_the_median_of_an_odd_number_is_the_middle_one() -> None:
    assert median([9, 1, 5]) == 5


def test_nothing_has_no_percentile_and_no_median() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
    with pytest.raises(ValueError, match="no values"):
        median([])
