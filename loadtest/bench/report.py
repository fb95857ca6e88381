"""The result as a table, as Markdown and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.bench.generator import NAME as BUILT_IN
from loadtest.bench.sides import Side
from loadtest.bench.single import SingleLatency
from loadtest.bench.summary import Ratio, Summary, ratio, summarize

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured and checked."""

    measured_at: str
    machine: str
    generator: str
    connections: int
    seconds: int
    rounds: int
    summaries: list[Summary]
    ratios: list[Ratio]
    singles: dict[str, SingleLatency]
    money: dict[str, str]
    faults: list[str]


def make_report(
    sides: Sequence[Side], faults: list[str], money: dict[str, str], connections: int, seconds: int
) -> Report:
    """Bring the sides' runs together; the first side is the product, the second the peer."""
    product, peer = sides
    counts = list(product.runs)
    runs = product.runs[counts[0]]
    return Report(
        datetime.now(UTC).isoformat(timespec="seconds"),
        describe_machine(),
        runs[0].generator,
        connections,
        seconds,
        len(runs),
        [summarize(side.name, count, side.runs[count]) for count in counts for side in sides],
        [ratio(count, product.runs[count], peer.runs[count]) for count in counts],
        {side.name: side.single for side in sides if side.single},
        money,
        faults,
    )


def describe_machine() -> str:
    """Cores, processor family and Python."""
    system, python = platform.system(), platform.python_version()
    return f"{os.cpu_count()} cores, {platform.machine()}, {system}, Python {python}"


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    return asdict(report)


def print_report(report: Report, console: Console) -> None:
    """Tables for people."""
    for title, header, rows in _tables(report):
        table = Table(title=title, title_justify="left")
        for n, name in enumerate(header):
            table.add_column(name, justify="left" if n == 0 else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for note in _notes(report):
        console.print(note, soft_wrap=True)


def as_markdown(report: Report) -> str:
    """Tables to paste into a page."""
    parts = []
    for title, header, rows in _tables(report):
        rule = ["---", *["---:"] * (len(header) - 1)]
        lines = ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]
        parts.append("\n".join([f"**{title}**", "", *lines]))
    return "\n\n".join([*parts, "\n".join(f"- {note}" for note in _notes(report))]) + "\n"


def _tables(report: Report) -> list[tuple[str, list[str], Rows]]:
    return [
        (
            f"{report.connections} connections, {report.rounds} rounds of {report.seconds} s",
            ["side, accounts", "requests/s", "range", "p50 ms", "p99 ms", "not 200"],
            [_speed_row(summary) for summary in report.summaries],
        ),
        (
            "Product over peer",
            ["accounts", "ratio", "range", "goal", "reached"],
            [_ratio_row(ratio) for ratio in report.ratios],
        ),
        (
            "One request at a time, idle",
            ["side", "p50 ms", "p99 ms"],
            [[s, f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}"] for s, one in report.singles.items()],
        ),
        (
            "CPU seconds for 1,000 requests",
            ["processes", *[_label(summary) for summary in report.summaries]],
            _cpu_rows(report.summaries),
        ),
    ]


def _speed_row(summary: Summary) -> list[str]:
    return [
        _label(summary),
        f"{summary.requests_per_second:,.0f}",
        f"{summary.slowest:,.0f} to {summary.fastest:,.0f}",
        f"{summary.p50_ms:.0f}",
        f"{summary.p99_ms:.0f}",
        ", ".join(f"{n} x {status}" for status, n in summary.other_statuses.items()) or "0",
    ]


def _ratio_row(ratio: Ratio) -> list[str]:
    spread = f"{ratio.lowest:.2f} to {ratio.highest:.2f}"
    reached = "yes" if ratio.reached else "no"
    return [str(ratio.accounts), f"{ratio.median:.2f}", spread, f"{ratio.goal:g}", reached]


def _cpu_rows(summaries: Sequence[Summary]) -> Rows:
    groups = dict.fromkeys(group for summary in summaries for group in summary.cpu_per_1000)
    rows = [
        [group, *[f"{summary.cpu_per_1000.get(group, 0):.3f}" for summary in summaries]]
        for group in groups
    ]
    return [*rows, ["all", *[f"{sum(s.cpu_per_1000.values()):.3f}" for s in summaries]]]


def _label(summary: Summary) -> str:
    return f"{summary.side}, {summary.accounts}"


def _notes(report: Report) -> list[str]:
    limited = (
        " (wrk is not installed: the generator limits the figures)"
        if report.generator == BUILT_IN
        else ""
    )
    return [
        f"Machine: {report.machine}; the load generator runs on it too.",
        f"Load generator: {report.generator}{limited}.",
        *[f"Money, {side}: {money}." for side, money in report.money.items()],
        *[f"FAULT: {fault}" for fault in report.faults],
    ]
