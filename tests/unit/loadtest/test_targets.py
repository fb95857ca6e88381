"""Targets of the load test."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.load import HERE
from loadtest.measured import ALL, Figures
from loadtest.shapes import SHAPES
from loadtest.targets import DEFAULT, Bounds, Targets, missed, parse_targets, read_targets

BOUNDS = Bounds(
    requests_per_second_min=100, p50_ms_max=50, p95_ms_max=200, p99_ms_max=500, error_share_max=0.01
)
TARGETS = Targets(
    machine="a machine",
    offered_per_second=110,
    bounds=BOUNDS,
    achieved_share_min=0.9,
    requests={"batch": Bounds(p95_ms_max=300)},
)
GOOD = Figures(
    requests=1000, failures=10, requests_per_second=100, p50_ms=50, p95_ms=200, p99_ms=500
)
BATCH = Figures(requests=10, failures=0, requests_per_second=1, p50_ms=1, p95_ms=300, p99_ms=900)


def test_values_on_the_bounds_are_good() -> None:
    assert missed(TARGETS, {ALL: GOOD, "batch": BATCH}, 0.9, 0) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("requests_per_second", 99, "requests/s: 99, the target is at least 100"),
        ("p50_ms", 51, "p50 ms: 51, the target is at most 50"),
        ("p95_ms", 201, "p95 ms: 201, the target is at most 200"),
        ("p99_ms", 501, "p99 ms: 501, the target is at most 500"),
        ("failures", 11, "error share: 0.011, the target is at most 0.01"),
    ],
)
def test_each_miss_is_said_alone(name: str, value: float, words: str) -> None:
    figures = {ALL: replace(GOOD, **{name: value}), "batch": BATCH}
    assert missed(TARGETS, figures, 0.9, 0) == [words]


def test_a_miss_of_one_kind_of_request_names_it() -> None:
    figures = {ALL: GOOD, "batch": replace(BATCH, p95_ms=301)}
    assert missed(TARGETS, figures, 0.9, 0) == ["batch: p95 ms: 301, the target is at most 300"]


def test_a_kind_of_request_that_was_never_sent_is_a_miss() -> None:
    assert missed(TARGETS, {ALL: GOOD}, 0.9, 0) == ["batch: no request of this name was sent"]


def test_an_offered_load_that_was_not_achieved_and_a_low_knee_are_misses() -> None:
    targets = replace(TARGETS, knee_per_second_min=50)
    misses = missed(targets, {ALL: GOOD, "batch": BATCH}, 0.89, 49)
    assert [miss.split(":")[0] for miss in misses] == [
        "achieved share of the offered load",
        "knee, requests/s",
    ]


def test_another_load_has_another_least_rate_and_the_same_latencies() -> None:
    half = TARGETS.at(55)
    assert (half.offered_per_second, half.bounds.requests_per_second_min) == (55, 50)
    assert half.bounds.p99_ms_max == 500


def test_a_run_without_requests_failed() -> None:
    assert replace(GOOD, requests=0).error_share == 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("machine", [DEFAULT, "eight-cores"])
def test_the_committed_targets_cover_every_shape(machine: str, shape: str) -> None:
    targets = read_targets(HERE / "targets.toml", machine, shape)
    assert targets.offered_per_second > 0
    assert targets.bounds.error_share_max == 0


def test_an_unknown_machine_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="two-cores, eight-cores; not for 'laptop'"):
        read_targets(HERE / "targets.toml", "laptop", "steady")


def test_a_machine_without_the_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "targets.toml"
    path.write_text('[two-cores]\nmachine = "two"\n')
    with pytest.raises(ValueError, match="no targets for the shape 'spike'"):
        read_targets(path, DEFAULT, "spike")


def test_a_misspelt_target_is_refused() -> None:
    with pytest.raises(TypeError, match="p95_max"):
        parse_targets("a machine", {"offered_per_second": 1, "p95_max": 3})
