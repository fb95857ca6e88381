"""The one place where benchmarks of the operator call the load generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.bench.checks import faults_of
from loadtest.bench.load import LoadPlan, make_bodies, run_load
from loadtest.bench.oracle import Oracle, make_rows
from loadtest.bench.product import product_target

_BODIES = 64


@dataclass(frozen=True, slots=True)
class Loop:
    """What a closed loop of single rows saw: each connection asks again once it was answered."""

    requests_per_second: float
    p99_ms: float
    answers_200: int
    unanswered: int
    faults: tuple[str, ...]


def run_closed_loop(base_url: str, keys: Sequence[str], connections: int, seconds: int) -> Loop:
    """Score dense single rows for so long, each key in turn; every answer is waited for."""
    target, rows = product_target(base_url, keys), make_rows(_BODIES)
    bodies = make_bodies(target, rows, Oracle().score(rows))
    run = run_load(LoadPlan(target, bodies, connections, seconds))
    return Loop(
        requests_per_second=run.requests_per_second,
        p99_ms=run.latency().p99_ms,
        answers_200=run.answers_200,
        unanswered=run.unanswered,
        faults=tuple(faults_of(run)),
    )
