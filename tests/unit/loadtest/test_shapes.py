"""How the offered load goes over time."""

import pytest

from loadtest.shapes import AUTOSCALE, RAMP, REDEPLOY_TIME_SHARE, SHAPES, SPIKE, STEADY, Shape


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_stages_fill_the_time_and_reach_the_height(shape: Shape) -> None:
    assert sum(stage.time_share for stage in shape.stages) == pytest.approx(1)
    assert max(stage.end for stage in shape.stages) == 1


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_ends(shape: Shape) -> None:
    assert shape.users_at(60.1, 60, 100) is None


def test_users_offer_one_request_a_second_each() -> None:
    assert STEADY.users_at(30, 60, 150) == 150


def test_users_that_hurry_are_fewer_for_the_same_rate() -> None:
    assert AUTOSCALE.per_user_second == pytest.approx(15 / 11)
    assert AUTOSCALE.users_at(100, 300, 150) == 110


def test_a_steady_load_comes_up_evenly() -> None:
    assert [STEADY.users_at(second, 60, 150) for second in (0, 3, 6)] == [1, 75, 150]


def test_a_ramp_goes_up_in_steps() -> None:
    seen = [RAMP.users_at(second, 100, 500) for second in (5, 9, 15, 95)]
    assert seen == [50, 50, 100, 500]


def test_a_spike_stands_between_quiet_times() -> None:
    seen = [SPIKE.users_at(second, 100, 300) for second in (20, 50, 80)]
    assert seen == [60, 300, 60]


def test_the_redeploy_falls_into_the_high_phase() -> None:
    around = (REDEPLOY_TIME_SHARE - 0.15, REDEPLOY_TIME_SHARE, REDEPLOY_TIME_SHARE + 0.15)
    assert [AUTOSCALE.height_at(share) for share in around] == [1, 1, 1]
    assert AUTOSCALE.height_at(0) == AUTOSCALE.height_at(0.99) == pytest.approx(0.1)
