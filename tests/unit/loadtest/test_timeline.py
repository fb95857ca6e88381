"""Offered and achieved rates out of what Locust wrote each second."""

from collections.abc import Sequence

import pytest

from loadtest.measured import Moment
from loadtest.timeline import achieved_share, find_knee, paces


def moments(users: Sequence[int], made: Sequence[int], failed: int = 0) -> list[Moment]:
    """One a second; `made` is how many requests were made in that second."""
    found, requests = [], 0
    for second, (count, more) in enumerate(zip(users, made, strict=True)):
        requests += more
        found.append(Moment(1000.0 + second, count, count, requests, failed * second, 1, 2, 3))
    return found


def test_a_server_that_keeps_up_achieves_all_that_is_offered() -> None:
    assert achieved_share(moments([10] * 11, [0] + [10] * 10)) == pytest.approx(1)


def test_users_that_wait_for_answers_offer_more_than_is_achieved() -> None:
    assert achieved_share(moments([10] * 11, [0] + [8] * 10)) == pytest.approx(0.8)


def test_the_quiet_time_after_the_last_request_is_not_offered() -> None:
    users, made = [10] * 11 + [10, 10], [0] + [10] * 10 + [0, 0]
    assert achieved_share(moments(users, made)) == pytest.approx(1)


def test_without_users_nothing_was_achieved() -> None:
    assert achieved_share(moments([0, 0], [0, 0])) == 0


def test_rates_are_those_of_the_last_seconds() -> None:
    last = paces(moments([10] * 6, [0, 10, 10, 4, 4, 4], failed=2))[-1]
    assert (last.second, last.offered_per_second) == (5, 10)
    assert (last.achieved_per_second, last.failed_per_second) == (4, 2)


def test_a_second_that_the_clock_shows_twice_has_no_rate_of_its_own() -> None:
    one, two = moments([10, 10], [0, 10])
    assert paces([one, one, two])[0].achieved_per_second == 10


def ramp(*achieved: int) -> list[Moment]:
    """Steps of six seconds: 10, 20, 30, ... users, and what was made a second in each."""
    users = [10 * (step + 1) for step in range(len(achieved)) for _ in range(6)]
    return moments(users, [rate for rate in achieved for _ in range(6)])


def test_the_knee_is_the_last_step_that_kept_up() -> None:
    assert find_knee(ramp(10, 20, 29, 31, 31)) == pytest.approx(29)


def test_a_step_that_keeps_up_again_behind_the_knee_does_not_count() -> None:
    assert find_knee(ramp(10, 12, 30)) == pytest.approx(10)


def test_there_is_no_knee_where_the_first_step_was_too_much() -> None:
    assert find_knee(ramp(5, 5)) == 0
