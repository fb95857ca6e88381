"""Latency buckets: their bounds, their order, and how exact they are."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.reports.latency import (
    BUCKETS,
    SHORTEST_SECONDS,
    bucket_of,
    lower_bound_seconds,
    middle_seconds,
)

LONGEST_SECONDS = 100.0
in_range = st.floats(SHORTEST_SECONDS, LONGEST_SECONDS)


@given(in_range)
def test_a_latency_is_within_4_5_percent_of_its_buckets_middle(seconds: float) -> None:
    assert middle_seconds(bucket_of(seconds)) == pytest.approx(seconds, rel=0.045)


@given(in_range)
def test_a_latency_lies_between_the_bounds_of_its_bucket(seconds: float) -> None:
    bucket = bucket_of(seconds)
    assert lower_bound_seconds(bucket) <= seconds * (1 + 1e-9)
    assert seconds <= lower_bound_seconds(bucket + 1) * (1 + 1e-9)


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_longer_latency_is_never_in_an_earlier_bucket(first: float, second: float) -> None:
    shorter, longer = sorted((first, second))
    assert 0 <= bucket_of(shorter) <= bucket_of(longer) < BUCKETS


def test_buckets_reach_from_a_tenth_of_a_millisecond_to_a_hundred_seconds() -> None:
    assert (bucket_of(0), bucket_of(SHORTEST_SECONDS)) == (0, 0)
    assert bucket_of(LONGEST_SECONDS) == bucket_of(10 * LONGEST_SECONDS) == BUCKETS - 1
    assert bucket_of(2 * SHORTEST_SECONDS * 1.001) == 8


@pytest.mark.parametrize("quantile", [0.5, 0.95, 0.99])
def test_a_quantile_by_buckets_is_within_4_5_percent(quantile: float) -> None:
    random = Random(1)
    latencies = sorted(random.lognormvariate(-4, 1) for _ in range(10_001))
    exact = latencies[int(quantile * 10_000)]
    by_bucket = sorted(map(bucket_of, latencies))[int(quantile * 10_000)]
    assert middle_seconds(by_bucket) == pytest.approx(exact, rel=0.045)
