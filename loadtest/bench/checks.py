"""What makes a benchmark fail: wrong answers and wrong money, never speed alone."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.bench.run import Run
from loadtest.bench.sides import Side
from loadtest.bench.summary import Ratio
from loadtest.money import Money

EXPECTED_STATUSES = {200, 429}
"""A full queue is refused with 429; every other status is a fault, since all keys can pay."""


def run_faults(side: Side) -> list[str]:
    """Wrong bodies and unexpected statuses of a side's runs."""
    runs = [run for runs in side.runs.values() for run in runs]
    faults = [fault for run in runs for fault in faults_of(run)]
    if side.single and side.single.answers_200 != side.single.requests:
        faults.append("not every single request was answered with 200")
    return [f"{side.name}: {fault}" for fault in faults]


def faults_of(run: Run) -> list[str]:
    """What one run saw that must not be."""
    faults = []
    if run.wrong:
        faults.append(f"{run.wrong} wrong answers with status 200, such as {run.wrong_sample!r}")
    unexpected = {s: n for s, n in run.other_statuses.items() if s not in EXPECTED_STATUSES}
    if unexpected:
        faults.append(f"unexpected statuses: {unexpected}")
    if not run.answers_200:
        faults.append("a run without one answer of status 200")
    return faults


def money_faults(money: dict[str, Money]) -> list[str]:
    """Sides whose accounts paid more or less than was answered."""
    return [f"{side}: {sums}" for side, sums in money.items() if not sums.agrees]


def speed_faults(ratios: Sequence[Ratio]) -> list[str]:
    """Goals that were missed."""
    return [
        f"{ratio.accounts} account(s): {ratio.median:.2f} times the peer, not {ratio.goal:g}"
        for ratio in ratios
        if not ratio.reached
    ]
