"""Ratios, medians and CPU time over rounds, and what makes a benchmark fail."""

import pytest

from loadtest.bench.checks import faults_of, speed_faults
from loadtest.bench.plan import order
from loadtest.bench.run import Run
from loadtest.bench.sides import Side
from loadtest.bench.summary import cpu_per_1000, ratio, summarize


def make_run(
    speed: int,
    *,
    statuses: dict[int, int] | None = None,
    cpu_seconds: dict[str, float] | None = None,
    wrong: int = 0,
) -> Run:
    """Ten seconds at `speed` requests a second."""
    answers = statuses if statuses is not None else {200: speed * 10}
    total = sum(answers.values())
    return Run(
        seconds=10,
        sent=total,
        in_time=total,
        statuses=answers,
        p50_ms=1.0,
        p99_ms=2.0,
        wrong=wrong,
        cpu_seconds=cpu_seconds or {},
    )


def test_a_ratio_compares_the_runs_of_the_same_round() -> None:
    ours, theirs = [make_run(3000), make_run(1500)], [make_run(1000), make_run(500)]
    found = ratio(50, ours, theirs)
    assert (found.median, found.lowest, found.highest) == (3.0, 3.0, 3.0)


def test_a_goal_is_reached_at_the_goal_and_missed_below_it() -> None:
    at, below = (
        ratio(50, [make_run(2500)], [make_run(1000)]),
        ratio(50, [make_run(2499)], [make_run(1000)]),
    )
    assert at.reached
    assert not below.reached
    assert speed_faults([at]) == []
    assert len(speed_faults([below])) == 1


def test_one_account_has_the_higher_goal() -> None:
    assert not ratio(1, [make_run(3900)], [make_run(1000)]).reached
    assert ratio(1, [make_run(4000)], [make_run(1000)]).reached


def test_a_peer_that_answered_nothing_gives_no_ratio_to_boast_of() -> None:
    assert not ratio(50, [make_run(3000)], [make_run(0, statuses={500: 10})]).reached


def test_a_summary_takes_the_median_speed_and_adds_up_statuses() -> None:
    runs = [make_run(100), make_run(900), make_run(0, statuses={200: 2000, 429: 2})]
    found = summarize("product", 50, runs)
    assert found.requests_per_second == 200
    assert (found.slowest, found.fastest) == (100, 900)
    assert found.other_statuses == {429: 2}


def test_cpu_time_is_for_a_thousand_successes_over_all_rounds() -> None:
    runs = [make_run(100, cpu_seconds={"haproxy": 1.0}), make_run(300, cpu_seconds={"haproxy": 3})]
    assert cpu_per_1000(runs) == {"haproxy": pytest.approx(1.0)}


def test_a_full_queue_is_no_fault() -> None:
    assert faults_of(make_run(0, statuses={200: 10, 429: 5})) == []


@pytest.mark.parametrize(
    "run",
    [
        make_run(0, statuses={200: 10, 500: 1}),
        make_run(0, statuses={200: 10, 402: 1}),
        make_run(0, statuses={429: 10}),
        make_run(10, wrong=1),
    ],
)
def test_other_statuses_wrong_answers_and_no_success_are_faults(run: Run) -> None:
    assert len(faults_of(run)) == 1


def test_each_side_goes_first_in_every_other_round() -> None:
    sides = [Side("a", "", []), Side("b", "", [])]
    names = [(accounts, side.name) for accounts, side in order(sides, 2)]
    assert names == [
        *((50, "a"), (50, "b"), (1, "a"), (1, "b")),
        *((50, "b"), (50, "a"), (1, "b"), (1, "a")),
    ]
