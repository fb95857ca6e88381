"""PSI is what its formula says, and its noise is what is said of it."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.psi import expected_psi, psi, rows_needed, shares

COUNTS = st.lists(st.integers(0, 10_000), min_size=4, max_size=4)


def test_shares_are_smoothed_by_half_a_row_each() -> None:
    np.testing.assert_allclose(shares(np.array([0, 9])), [0.05, 0.95])


def test_psi_by_hand() -> None:
    # Smoothed: (8.5, 1.5) of 10 and (3.5, 6.5) of 10.
    by_hand = (0.35 - 0.85) * log(0.35 / 0.85) + (0.65 - 0.15) * log(0.65 / 0.15)
    assert psi(np.array([8, 1]), np.array([3, 6])) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(1.1768, abs=1e-4)


def test_psi_of_many_features_at_once() -> None:
    reference, served = np.array([[8, 1], [5, 5]]), np.array([[3, 6], [5, 5]])
    found = psi(reference, served)
    assert found.shape == (2,)
    assert found[0] == psi(reference[0], served[0])
    assert found[1] == 0


@given(reference=COUNTS, served=COUNTS)
def test_psi_is_finite_never_negative_and_the_same_both_ways(
    reference: list[int], served: list[int]
) -> None:
    one, other = np.array(reference), np.array(served)
    found = psi(one, other)
    assert np.isfinite(found)
    assert found >= -1e-12
    assert psi(other, one) == pytest.approx(float(found))
    assert psi(one, one) == 0


def test_without_drift_psi_is_on_average_what_is_expected() -> None:
    random = np.random.default_rng(1)
    even = np.full(10, 0.1)
    n, m = 2_000, 5_000
    found = psi(random.multinomial(m, even, 4_000), random.multinomial(n, even, 4_000))
    assert found.mean() == pytest.approx(expected_psi(10, m, n), rel=0.05)


@given(
    bins=st.integers(2, 50), rows=st.floats(100, 1e6), noise=st.floats(0.005, 0.5, exclude_min=True)
)
def test_so_many_rows_keep_the_noise_below_the_bound(bins: int, rows: float, noise: float) -> None:
    needed = rows_needed(bins, rows, noise)
    if needed is None:
        assert expected_psi(bins, rows, 1e12) >= noise * 0.999
    else:
        assert expected_psi(bins, rows, needed) <= noise * 1.001
        assert needed == 1 or expected_psi(bins, rows, needed - 1) > noise * 0.999
