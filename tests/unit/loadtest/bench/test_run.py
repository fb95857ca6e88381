"""What a run's numbers mean."""

import pytest

from loadtest.bench.checks import faults_of
from loadtest.bench.run import Latency
from tests.support.bench_runs import make_run


def test_speed_is_that_of_right_answers_in_time() -> None:
    assert make_run(100).requests_per_second == 100
    assert make_run(100, wrong=500).requests_per_second == 50


def test_refusals_have_latencies_of_their_own() -> None:
    run = make_run(0, statuses={200: [100.0] * 4, 429: [10.0, 20.0, 60.0, 50.0]})
    assert run.latency(429) == Latency(4, 20, 60, 60, 60)
    assert run.latency().p50_ms == 100
    assert run.share_within(429, 50) == 0.75
    assert run.share_within(503, 50) == 1


def test_a_status_that_never_came_has_no_latency() -> None:
    assert make_run(1).latency(429) == Latency(0, 0, 0, 0, 0)


def test_a_report_has_percentiles_in_place_of_latencies() -> None:
    plain = make_run(1, rate=5, lag_ms=2).as_json()
    assert "milliseconds" not in plain
    assert plain["latency"]["200"]["answers"] == 10
    assert plain["lag_p99_ms"] == 2


def test_a_full_queue_is_no_fault() -> None:
    assert faults_of(make_run(0, statuses={200: [1], 429: [1]})) == []


@pytest.mark.parametrize(
    "statuses", [{200: [1.0], 500: [1.0]}, {200: [1.0], 402: [1.0]}, {429: [1.0]}]
)
def test_other_statuses_and_no_success_are_faults(statuses: dict[int, list[float]]) -> None:
    assert len(faults_of(make_run(0, statuses=statuses))) == 1


def test_wrong_answers_are_a_fault_with_a_sample() -> None:
    assert faults_of(make_run(1, wrong=2)) == ["2 wrong answers with status 200, such as sample"]
