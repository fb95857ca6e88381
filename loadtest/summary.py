"""What a run came to, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtest.measured import ALL, Figures
from loadtest.settlement import Settlement
from loadtest.tally import Tally, to_plain


@dataclass(frozen=True, slots=True)
class Summary:
    """One run, measured and settled."""

    shape: str
    machine: str
    """What the targets were set for."""
    seconds: float
    offered_per_second: float
    achieved_share: float
    knee_per_second: float
    figures: Mapping[str, Figures]
    tally: Tally
    settlement: Settlement
    misses: Sequence[str]

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        plain = asdict(self) | {"tally": to_plain(self.tally)}
        path.write_text(json.dumps(plain, default=str, indent=2))


def print_summary(console: Console, summary: Summary) -> None:
    """The table of figures, then what became of the money."""
    table = Table(title=f"{summary.shape}: {summary.offered_per_second:g} requests/s at the top")
    for column in ("request", "count", "failed", "requests/s", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "request" else "right")
    for name, each in sorted(summary.figures.items(), key=lambda pair: (pair[0] == ALL, pair[0])):
        latencies = (f"{value:.0f}" for value in (each.p50_ms, each.p95_ms, each.p99_ms))
        rate = f"{each.requests_per_second:.1f}"
        table.add_row(name, f"{each.requests:,}", f"{each.failures:,}", rate, *latencies)
    console.print(table)
    for line in describe(summary):
        console.print(line, soft_wrap=True)


def describe(summary: Summary) -> list[str]:
    """What the table does not say."""
    tally = summary.tally
    lines = [
        f"achieved {summary.achieved_share:.1%} of the offered load",
        f"{tally.answers_200:,} answers charged, {tally.replays:,} replayed free",
        f"refused free: {tally.refusals:,} bad requests, {tally.conflicts:,} reused keys",
        f"{summary.settlement.money}; the books: {summary.settlement.books}",
    ]
    if summary.knee_per_second:
        lines.append(f"kept up with the ramp to {summary.knee_per_second:.0f} requests/s")
    if tally.resent:
        lines.append(f"{tally.resent} requests sent again, with their key, on a new connection")
    if tally.generator_saturated:
        lines.append("the generator ran out of CPU: use more --processes, or another machine")
    return lines
