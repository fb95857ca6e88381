"""Ratios and goals of every scenario."""

import pytest

from loadtest.bench.bulk import BulkResult, BulkRun
from loadtest.bench.comparison import Comparison, Contest
from loadtest.bench.goals import Goal
from loadtest.bench.latency import LatencyResult
from loadtest.bench.memory import MemorySeries, growth
from loadtest.bench.overload import OverloadResult
from loadtest.bench.run import Run
from tests.support.bench_runs import make_run


def make_contest(ours: list[Run], theirs: list[Run], goal: float = 3.0) -> Contest:
    return Contest("peer", "A peer", False, 50, goal, ours, theirs)


def make_overload(
    *, goodput: float = 90, refused_ms: float = 50, after: float = 90, megabytes: float = 100
) -> OverloadResult:
    statuses = {200: [80.0] * round(goodput * 10), 429: [refused_ms] * 10}
    overload = make_run(0, statuses=statuses, rate=300, sent_per_second=280)
    memory = MemorySeries([0, 1, 2], {"Billing": [100, 100, megabytes]})
    return OverloadResult(make_run(100), overload, make_run(after), memory, 300, False)


def test_a_ratio_compares_runs_of_the_same_round() -> None:
    found = make_contest([make_run(300), make_run(150)], [make_run(100), make_run(50)])
    assert found.ratios == [3, 3]
    assert found.goal.reached


def test_a_peer_that_answered_nothing_gives_no_ratio_to_boast_of() -> None:
    nothing = make_run(0, statuses={500: [1.0]})
    assert not make_contest([make_run(300)], [nothing]).goal.reached


def test_accounts_are_named_where_somebody_pays() -> None:
    assert make_contest([], []).label == "peer"
    assert Contest("peer", "", True, 1, 8, [], []).label == "peer, 1 account"


def test_the_peak_is_the_median_with_many_accounts() -> None:
    runs = {50: [make_run(100), make_run(900), make_run(200)], 1: [make_run(5)]}
    assert Comparison(product_runs=runs).peak_per_second == 200


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal("it", 1.0, 1.0), True),
        (Goal("it", 0.99, 1.0), False),
        (Goal("it", 1.0, 1.0, at_most=True), True),
        (Goal("it", 1.01, 1.0, at_most=True), False),
    ],
)
def test_a_value_on_the_bound_is_good(goal: Goal, reached: bool) -> None:
    assert goal.reached is reached


def test_the_p99_ratio_is_taken_round_by_round() -> None:
    ours = [make_run(1, milliseconds=30), make_run(1, milliseconds=15)]
    theirs = [make_run(1, milliseconds=20), make_run(1, milliseconds=10)]
    result = LatencyResult(100, 50, make_run(1, milliseconds=5), ours, None, theirs, None)
    assert result.p99_ratio == 1.5
    assert [goal.reached for goal in result.goals] == [True, True]


def test_without_the_plain_peer_there_is_no_ratio() -> None:
    result = LatencyResult(100, 50, make_run(1, milliseconds=6), [make_run(1)], None, [], "why")
    assert result.p99_ratio is None
    assert [goal.reached for goal in result.goals] == [False]


def test_an_overload_on_every_bound_is_good() -> None:
    result = make_overload()
    assert all(goal.reached for goal in result.goals)
    assert result.offered_times == 2.8


@pytest.mark.parametrize(
    "result",
    [
        make_overload(goodput=89.9),
        make_overload(refused_ms=50.1),
        make_overload(after=89.9),
        make_overload(megabytes=106),
    ],
)
def test_each_fault_of_an_overload_misses_its_own_goal(result: OverloadResult) -> None:
    assert [goal.reached for goal in result.goals].count(False) == 1


def test_an_overload_without_refusals_is_not_what_was_asked_for() -> None:
    overload = make_run(100, rate=300)
    memory = MemorySeries([0], {"Billing": [100]})
    result = OverloadResult(make_run(100), overload, make_run(100), memory, 300, False)
    assert result.refused_in_time == 0


def test_memory_grows_from_the_first_third_to_the_last() -> None:
    assert growth([100, 100, 500, 100, 150, 150]) == 0.5
    assert growth([100, 200]) == 0
    assert MemorySeries([0, 1, 2], {"it": [100, 0, 104]}).flat
    assert not MemorySeries([0, 1, 2], {"it": [100, 0, 106]}).flat


def test_bulk_is_measured_in_rows_and_only_packed_formats_have_a_goal() -> None:
    packed = BulkRun("bits", True, 31744, make_run(1))
    names = BulkRun("names", False, 300_000, make_run(1))
    result = BulkResult(1280, [packed, names])
    assert result.ratio(packed) == 0.8
    assert [goal.reached for goal in result.goals] == [True]


def test_a_format_that_is_refused_misses_its_goal() -> None:
    result = BulkResult(1280, [BulkRun("bits", True, 31744, None, "status 415")])
    assert [goal.reached for goal in result.goals] == [False]
