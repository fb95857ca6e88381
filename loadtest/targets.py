"""Targets of the load test, and which of them a run missed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from loadtest.tally import Tally


@dataclass(frozen=True, slots=True)
class Targets:
    """Bounds that a run must keep."""

    requests_per_second_min: float
    p95_ms_max: float
    p99_ms_max: float
    error_share_max: float


def read_targets(path: Path) -> Targets:
    """The table `scoring` of a TOML file."""
    return Targets(**tomllib.loads(path.read_text())["scoring"])


def missed(targets: Targets, tally: Tally) -> list[str]:
    """Each target that was missed, in words; a value on the bound is good."""
    checks = [
        ("requests/s", -tally.requests_per_second, -targets.requests_per_second_min),
        ("p95 ms", tally.p95_ms, targets.p95_ms_max),
        ("p99 ms", tally.p99_ms, targets.p99_ms_max),
        ("error share", tally.error_share, targets.error_share_max),
    ]
    misses = [
        f"{name}: {abs(value):g}, the target is {abs(bound):g}"
        for name, value, bound in checks
        if value > bound
    ]
    if tally.wrong:
        misses.append(f"{len(tally.wrong)} wrong answers, such as: {tally.wrong[0]}")
    return misses
