"""The one place where benchmarks of the operator call the load generator."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.bench.checks import faults_of
from loadtest.bench.generator import run_builtin
from loadtest.bench.run import Load
from loadtest.bench.wrk import run_wrk, wrk_installed
from loadtest.inputs import make_row

_BODIES = 64
_SEED = 241


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
    load = Load(base_url, list(keys), _make_bodies(), connections, seconds)
    run = run_wrk(load) if wrk_installed() else run_builtin(load)
    return Loop(
        requests_per_second=run.requests_per_second,
        p99_ms=run.p99_ms,
        answers_200=run.answers_200,
        unanswered=run.unanswered,
        faults=tuple(faults_of(run)),
    )


def _make_bodies() -> list[str]:
    source = random.Random(_SEED)  # noqa: S311 - the same rows in each run
    rows = [make_row(source) for _ in range(_BODIES)]
    return [
        json.dumps({"model": "android-malware", "instances": [row]}, separators=(",", ":"))
        for row in rows
    ]
