"""CPU seconds for each 1,000 requests, by group of processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from loadtest.bench.comparison import Comparison
from loadtest.bench.cpu import GENERATOR, PEER, POSTGRES
from loadtest.bench.percentiles import median
from loadtest.bench.product import NAME as PRODUCT
from loadtest.bench.run import Run
from loadtest.bench.tables import Table

OF_PEERS = (PEER, POSTGRES, GENERATOR)


def tabulate_cpu(comparison: Comparison) -> Table:
    """One column a server; what the idle product takes beside a peer stands in a note."""
    columns = {
        f"{PRODUCT}, {accounts}": cpu_per_1000(runs)
        for accounts, runs in comparison.product_runs.items()
    }
    for contest in comparison.contests:
        used = cpu_per_1000(contest.peer_runs)
        label = f"{contest.peer}, {contest.accounts}" if contest.billed else contest.peer
        columns[label] = {group: used[group] for group in OF_PEERS if group in used}
    groups = dict.fromkeys(group for used in columns.values() for group in used)
    rows = [[group, *(_cell(used.get(group)) for used in columns.values())] for group in groups]
    rows.append(["all", *(_cell(sum(used.values())) for used in columns.values())])
    idle = [idle_cores(run) for each in comparison.contests for run in each.peer_runs]
    notes = [f"The idle product takes {median(idle):.2f} cores beside a peer."] if idle else []
    return Table("CPU seconds for 1,000 requests", ["processes", *columns], rows, notes)


def cpu_per_1000(runs: Sequence[Run]) -> dict[str, float]:
    """CPU seconds for each 1,000 answers of status 200, by group, the largest first."""
    answers = sum(run.answers_200 for run in runs)
    used: Counter[str] = Counter()
    for run in runs:
        used.update(run.cpu_seconds)
    if not answers:
        return {}
    return {group: seconds / answers * 1000 for group, seconds in used.most_common() if seconds}


def idle_cores(run: Run) -> float:
    """Cores that the product's own processes took while a peer was measured."""
    idle = sum(seconds for group, seconds in run.cpu_seconds.items() if group not in OF_PEERS)
    return idle / run.seconds


def _cell(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"
