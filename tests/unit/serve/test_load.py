"""What a replica reports of its load, and how many replicas that asks for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pytest

from serve.load import LOAD, BusyTime, ScaleByLoad


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Context:
    """What Ray tells a policy."""

    aggregated_metrics: Mapping[str, Mapping[Hashable, float]] | None
    target_num_replicas: int = 2


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def busy(clock: Clock) -> BusyTime:
    return BusyTime(clock)


def work(busy: BusyTime, clock: Clock, seconds: float) -> None:
    with busy:
        clock.seconds += seconds


def test_an_idle_replica_was_never_busy(busy: BusyTime, clock: Clock) -> None:
    clock.seconds += 10
    assert busy.share() == 0


def test_share_is_work_over_all_the_time(busy: BusyTime, clock: Clock) -> None:
    work(busy, clock, 1)
    clock.seconds += 2
    work(busy, clock, 1)
    assert busy.share() == pytest.approx(0.5)


def test_each_share_begins_anew(busy: BusyTime, clock: Clock) -> None:
    work(busy, clock, 4)
    assert busy.share() == pytest.approx(1)
    clock.seconds += 3
    work(busy, clock, 1)
    assert busy.share() == pytest.approx(0.25)


def test_work_that_fails_counts(busy: BusyTime, clock: Clock) -> None:
    def fail() -> None:
        with busy:
            clock.seconds += 1
            raise ValueError("rows")

    with pytest.raises(ValueError, match="rows"):
        fail()
    clock.seconds += 1
    assert busy.share() == pytest.approx(0.5)


def test_asking_twice_at_once_is_idle(busy: BusyTime, clock: Clock) -> None:
    work(busy, clock, 1)
    busy.share()
    assert busy.share() == 0


@pytest.mark.parametrize(
    ("loads", "replicas"),
    [({"a": 100.0, "b": 300.0}, 4), ({"a": 50.0, "b": 0.0}, 0.5), ({"a": 0.0}, 0)],
)
def test_replicas_are_the_sum_of_the_loads_over_the_target(
    loads: dict[Hashable, float], replicas: float
) -> None:
    assert ScaleByLoad(target_load=100)(Context({LOAD: loads})) == (replicas, {})


@pytest.mark.parametrize("metrics", [None, {}, {LOAD: {}}, {"another": {"a": 900.0}}])
def test_with_nothing_reported_the_replicas_stay(
    metrics: Mapping[str, Mapping[Hashable, float]] | None,
) -> None:
    assert ScaleByLoad(target_load=1)(Context(metrics, target_num_replicas=3)) == (3, {})
