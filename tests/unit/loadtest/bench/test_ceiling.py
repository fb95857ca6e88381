"""A run in which the generator was the limit is refused."""

import pytest

from loadtest.bench.ceiling import (
    LAG_MS_MAX,
    Ceiling,
    Ceilings,
    GeneratorLimited,
    null_answer,
    refuse_limited,
)
from loadtest.bench.generator.checker import Checker
from loadtest.bench.load import FLOAT64, Body, LoadPlan
from loadtest.target import Target
from tests.support.bench_runs import make_run

CEILING = Ceiling(1000, 20, 8, 500, 200)


def test_a_run_up_to_the_bound_is_reported() -> None:
    refuse_limited(make_run(600), CEILING)


def test_a_run_near_the_ceiling_is_refused_and_it_is_said_why() -> None:
    with pytest.raises(GeneratorLimited, match="601 requests/s are more than 60%"):
        refuse_limited(make_run(601), CEILING)


def test_refused_requests_are_work_for_the_generator_too() -> None:
    with pytest.raises(GeneratorLimited):
        refuse_limited(make_run(100, sent_per_second=700), CEILING)


def test_a_late_generator_is_refused() -> None:
    refuse_limited(make_run(10, rate=10, lag_ms=LAG_MS_MAX), CEILING)
    with pytest.raises(GeneratorLimited, match="late by itself"):
        refuse_limited(make_run(10, rate=10, lag_ms=LAG_MS_MAX + 0.1), CEILING)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("answer_bytes", [0, 211, 3000])
def test_the_null_answer_is_right_and_about_as_long(rows: int, answer_bytes: int) -> None:
    answer = null_answer(rows, answer_bytes, float64=False)
    assert Checker(b'"probability":', [[0.5] * rows]).right(0, answer)
    assert len(answer) <= max(answer_bytes + 16, 60 * rows)
    assert len(answer) >= answer_bytes - 16 * rows


def test_the_null_answer_in_float64_is_right() -> None:
    assert Checker(b"", [[0.5] * 3]).right(0, null_answer(3, 24, float64=True))


@pytest.mark.parametrize("accept", ["", FLOAT64])
def test_a_ceiling_is_measured_once_for_each_kind_of_load(accept: str) -> None:
    target = Target("it", "http://127.0.0.1:1", "/p", lambda _: b"", b"other", ("key",))
    bodies = (Body(b"x" * 100_000, (0.1, 0.9)),)
    plan = LoadPlan(target, bodies, connections=2, seconds=9, accept=accept)
    ceilings = Ceilings(seconds=0.2)
    found = ceilings.of(plan, 211)
    assert found.requests_per_second > 0
    assert (found.connections, found.request_bytes) == (2, 100_000)
    assert ceilings.of(plan, 212) is found
    assert ceilings.measured == [found]
