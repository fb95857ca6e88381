"""Months, whole spans, and quantiles of buckets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.reports.latency import middle_seconds
from billing.reports.service import Quantiles
from billing.reports.values import DAY, HOUR, Month, Span

times = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(times)
def test_a_time_is_in_its_month_and_months_join(time: datetime) -> None:
    month = Month.of(time)
    assert month.begin <= time < month.end
    assert month.next.previous == month
    assert month < month.next
    if time.year >= 2000:
        assert Month.parse(str(month)) == month


@pytest.mark.parametrize("text", ["2026-00", "2026-13", "26-01", "2026-1", "0001-01", "9999-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a month"):
        Month.parse(text)


@given(times, st.timedeltas(timedelta(0), timedelta(400)), st.sampled_from([HOUR, DAY]))
def test_a_span_is_widened_to_whole_steps_and_no_further(
    since: datetime, length: timedelta, step: timedelta
) -> None:
    span = Span(since, since + length)
    whole = span.outward(step)
    assert whole.since <= span.since < whole.since + step
    assert whole.until - step < span.until <= whole.until
    assert whole.outward(step) == whole


@given(st.dictionaries(st.integers(0, 159), st.integers(1, 50), min_size=1, max_size=20))
def test_quantiles_of_buckets_are_those_of_the_requests_one_by_one(buckets: dict[int, int]) -> None:
    each = sorted(bucket for bucket, count in buckets.items() for _ in range(count))
    found = Quantiles.of(buckets)
    assert found is not None
    for share, seconds in ((0.5, found.p50), (0.95, found.p95), (0.99, found.p99)):
        least = next(n for n in range(1, len(each) + 1) if n >= share * len(each))
        assert seconds == middle_seconds(each[least - 1])


def test_no_requests_have_no_quantiles() -> None:
    assert Quantiles.of({}) is None
