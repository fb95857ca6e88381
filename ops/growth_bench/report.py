"""The result of the growth benchmark, as JSON and as tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from ops.growth_bench.measuring import Load, Measurements, Pruning
from ops.growth_bench.sides import EMPTY, GROWN
from ops.growth_bench.size import Size
from ops.growth_bench.sizes import Relation, Sizes

GOAL = 0.9


def ratio(measured: Measurements) -> float:
    """Grown over empty: the median of the rounds."""
    return statistics.median(measured.ratios)


def as_json(size: Size, load: Load, measured: Measurements) -> dict[str, Any]:
    """Everything that was measured."""
    pruning = measured.pruning
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "size": asdict(size),
        "load": asdict(load),
        "goal": GOAL,
        "ratio": ratio(measured),
        "ratios": measured.ratios,
        "runs": {
            name: [asdict(run) | {"log_bytes_each": run.log_bytes_each} for run in runs]
            for name, runs in measured.runs.items()
        },
        "disk": _disk(pruning.sizes_before) if pruning else [],
        "pruning": _pruning(pruning) if pruning else None,
        "faults": measured.faults,
    }


def _disk(sizes: Sizes) -> list[dict[str, Any]]:
    return [
        asdict(each) | {"rows": sizes.rows[each.table_name], "bytes_each": sizes.bytes_each(each)}
        for each in sizes.relations
    ]


def _pruning(pruning: Pruning) -> dict[str, Any]:
    return {
        "rows": pruning.rows,
        "seconds": pruning.seconds,
        "log_bytes": pruning.log_bytes,
        "ratio": pruning.ratio,
        "before": asdict(pruning.before),
        "during": [asdict(loop) for loop in pruning.during],
        "after": asdict(pruning.after),
        "answers_bytes_before": pruning.sizes_before.total_bytes("answers"),
        "answers_bytes_after": pruning.sizes_after.total_bytes("answers"),
    }


def print_report(size: Size, measured: Measurements, console: Console) -> None:
    """Rates, bytes and pruning."""
    console.print(_rates(size, measured))
    if measured.pruning is not None:
        console.print(_bytes(measured.pruning.sizes_before))
        console.print(_pruned(measured.pruning))
    reached = "reached" if ratio(measured) >= GOAL else "MISSED"
    console.print(f"grown over empty: {ratio(measured):.3f}, goal {GOAL}: {reached}")
    for fault in measured.faults:
        console.print(f"[bold red]FAULT[/] {fault}")


def _rates(size: Size, measured: Measurements) -> Table:
    table = Table(title=f"{size.charges:,} charges of {size.accounts:,} accounts beside none")
    for heading in ("ledger", "rows/s", "p99 ms", "log bytes a row", "rounds"):
        table.add_column(heading, justify="left" if heading == "ledger" else "right")
    for name in (EMPTY, GROWN):
        runs = measured.runs[name]
        table.add_row(
            name,
            f"{_median(run.loop.requests_per_second for run in runs):,.0f}",
            f"{_median(run.loop.p99_ms for run in runs):,.0f}",
            f"{_median(run.log_bytes_each for run in runs):,.0f}",
            str(len(runs)),
        )
    return table


def _bytes(sizes: Sizes) -> Table:
    table = Table(title="On disk, the grown ledger before pruning")
    for heading in ("table or index", "rows", "MB", "bytes a row", "fill"):
        table.add_column(heading, justify="left" if "table" in heading else "right")
    for relation in sizes.relations:
        table.add_row(*_bytes_row(sizes, relation))
    return table


def _bytes_row(sizes: Sizes, relation: Relation) -> Sequence[str]:
    return (
        relation.name,
        f"{sizes.rows[relation.table_name]:,}",
        f"{relation.bytes / 1e6:,.0f}",
        f"{sizes.bytes_each(relation):,.1f}",
        "" if relation.fill_percent is None else f"{relation.fill_percent} %",
    )


def _pruned(pruning: Pruning) -> Table:
    table = Table(title="Pruning answers older than a day, under load")
    for heading in ("answers", "seconds", "log MB", "rate beside it", "MB before", "MB after"):
        table.add_column(heading, justify="right")
    table.add_row(
        f"{pruning.rows:,}",
        f"{pruning.seconds:.0f}",
        f"{pruning.log_bytes / 1e6:,.0f}",
        f"{pruning.ratio:.2f}",
        f"{pruning.sizes_before.total_bytes('answers') / 1e6:,.0f}",
        f"{pruning.sizes_after.total_bytes('answers') / 1e6:,.0f}",
    )
    return table


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
