"""Runs brought together: medians by side and number of accounts, ratios beside their goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.bench.percentiles import median
from loadtest.bench.run import Run

GOALS = {50: 2.5, 1: 4.0}
"""Requests/s of the product over those of the peer, by number of accounts."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One side with so many accounts, over all rounds."""

    side: str
    accounts: int
    requests_per_second: float
    slowest: float
    fastest: float
    p50_ms: float
    p99_ms: float
    other_statuses: dict[int, int]
    faults: int
    cpu_per_1000: dict[str, float]
    """CPU seconds for each 1,000 requests, by group of processes."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The product over the peer, round by round."""

    accounts: int
    median: float
    lowest: float
    highest: float
    goal: float

    @property
    def reached(self) -> bool:
        """The median meets the goal."""
        return self.median >= self.goal


def summarize(side: str, accounts: int, runs: Sequence[Run]) -> Summary:
    """Medians over rounds; statuses, faults and CPU time are summed."""
    speeds = [run.requests_per_second for run in runs]
    statuses: Counter[int] = Counter()
    for run in runs:
        statuses.update(run.other_statuses)
    return Summary(
        side,
        accounts,
        median(speeds),
        min(speeds),
        max(speeds),
        median([run.p50_ms for run in runs]),
        median([run.p99_ms for run in runs]),
        dict(statuses),
        sum(run.socket_errors + run.timeouts for run in runs),
        cpu_per_1000(runs),
    )


def cpu_per_1000(runs: Sequence[Run]) -> dict[str, float]:
    """CPU seconds for each 1,000 answers of status 200, by group, the largest first."""
    answers = sum(run.answers_200 for run in runs)
    used: Counter[str] = Counter()
    for run in runs:
        used.update(run.cpu_seconds)
    if not answers:
        return {}
    return {group: seconds / answers * 1000 for group, seconds in used.most_common() if seconds}


def ratio(accounts: int, product: Sequence[Run], peer: Sequence[Run]) -> Ratio:
    """The product's speed over the peer's in the same round; zero where the peer answered none."""
    ratios = [
        ours.requests_per_second / theirs.requests_per_second if theirs.requests_per_second else 0.0
        for ours, theirs in zip(product, peer, strict=True)
    ]
    return Ratio(accounts, median(ratios), min(ratios), max(ratios), GOALS[accounts])
