"""What a replica reports of its load, and how many replicas that asks for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pytest

from serve.load import LOAD, CpuShare, ScaleByLoad


class Machine:
    """Seconds that pass, and seconds of the processor that are taken, when a test says so."""

    def __init__(self) -> None:
        self.seconds, self.cpu_seconds = 1000.0, 10.0

    def passes(self, seconds: float, *, at_work: float) -> None:
        self.seconds += seconds
        self.cpu_seconds += at_work


@dataclass
class Context:
    """What Ray tells a policy."""

    aggregated_metrics: Mapping[str, Mapping[Hashable, float]] | None
    target_num_replicas: int = 2


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def cpu(machine: Machine) -> CpuShare:
    return CpuShare(lambda: machine.seconds, lambda: machine.cpu_seconds)


def test_an_idle_replica_takes_nothing(cpu: CpuShare, machine: Machine) -> None:
    machine.passes(10, at_work=0)
    assert cpu.take() == 0


def test_the_share_is_work_over_all_the_time(cpu: CpuShare, machine: Machine) -> None:
    machine.passes(1, at_work=1)
    machine.passes(3, at_work=1)
    assert cpu.take() == pytest.approx(0.5)


def test_each_share_begins_anew(cpu: CpuShare, machine: Machine) -> None:
    machine.passes(4, at_work=4)
    assert cpu.take() == pytest.approx(1)
    machine.passes(4, at_work=1)
    assert cpu.take() == pytest.approx(0.25)


def test_asking_twice_at_once_is_idle(cpu: CpuShare, machine: Machine) -> None:
    machine.passes(1, at_work=1)
    cpu.take()
    assert cpu.take() == 0


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
