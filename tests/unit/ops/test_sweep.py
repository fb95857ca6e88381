"""The base is measured between the values, and what is drawn is the ratio to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.closed_loop import Loop
from ops.sweep.chart import draw
from ops.sweep.knobs import Knob, value_of
from ops.sweep.measuring import Sweep
from ops.sweep.serve_config import NotApplied

SLOTS = Knob("slots", "FeatureValidator", ("user_config", "slots"), (1, 2, 4))
UNKNOWN = Knob("threads", "LightGBMScorer", ("user_config", "threads"), (1, 2))
BASE: dict[str, Any] = {
    "applications": [
        {"deployments": [{"name": "FeatureValidator", "user_config": {"slots": 1}}]},
    ]
}


class Product:
    """Answers as fast as it has slots, on a machine that may speed up from loop to loop."""

    def __init__(self, *, refuses: int | None = None, drift: float = 0.0) -> None:
        self.config: dict[str, Any] = BASE
        self.applied: list[int | None] = []
        self.loops = 0
        self.refuses = refuses
        self.drift = drift

    def apply(self, config: dict[str, Any]) -> None:
        slots = value_of(config, SLOTS)
        if slots == self.refuses:
            raise NotApplied("no")
        self.config = config
        self.applied.append(slots)

    def run(self, connections: int) -> Loop:
        self.loops += 1
        slots = value_of(self.config, SLOTS)
        assert slots is not None
        speed = 1 + self.drift * self.loops
        return Loop(100.0 * slots * speed, 10.0 * connections / slots, 1, 0, ())


def sweep(product: Product, *connections: int) -> Sweep:
    return Sweep(BASE, product.apply, product.run, connections, lambda _: None)


def test_each_value_stands_between_two_measurements_of_the_base() -> None:
    product = Product()
    points = sweep(product, 64).measure([SLOTS])
    assert product.applied == [2, 1, 4, 1]
    assert [(point.value, point.rate_ratio, point.p99_ratio) for point in points] == [
        (2, 2.0, 0.5),
        (4, 4.0, 0.25),
    ]


def test_steady_drift_of_the_machine_falls_out() -> None:
    points = sweep(Product(drift=0.1), 64).measure([SLOTS])
    assert [point.rate_ratio for point in points] == pytest.approx([2.0, 4.0])


def test_every_number_of_connections_is_measured() -> None:
    points = sweep(Product(), 64, 256).measure([SLOTS])
    assert [(point.value, point.connections) for point in points] == [
        (2, 64),
        (2, 256),
        (4, 64),
        (4, 256),
    ]


def test_in_rounds_every_value_is_measured_so_often() -> None:
    product = Product()
    rounds = Sweep(BASE, product.apply, product.run, (64,), lambda _: None, rounds=2)
    points = rounds.measure([SLOTS])
    assert [point.value for point in points] == [2, 4, 2, 4]
    assert product.applied == [2, 1, 4, 1] * 2


def test_a_knob_that_the_config_does_not_set_is_left_alone() -> None:
    product = Product()
    assert sweep(product, 64).measure([UNKNOWN]) == []
    assert product.applied == []


def test_a_value_that_serve_refuses_is_left_out() -> None:
    product = Product(refuses=2)
    points = sweep(product, 64).measure([SLOTS])
    assert [point.value for point in points] == [4]
    assert value_of(product.config, SLOTS) == 1


@pytest.mark.parametrize("connections", [(64,), (64, 256)])
def test_a_sweep_is_drawn(connections: tuple[int, ...], tmp_path: Path) -> None:
    points = sweep(Product(), *connections).measure([SLOTS])
    draw(points, tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
