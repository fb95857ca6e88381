"""One picture of a report: requests/s, ratios beside their goals, latency percentiles."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtest.bench.comparison import Comparison
from loadtest.bench.latency import PLAIN_PEER, LatencyResult
from loadtest.bench.percentiles import median
from loadtest.bench.product import NAME as PRODUCT
from loadtest.bench.report import Report
from loadtest.bench.run import Run
from loadtest.bench.stage import accounts_in_words

INCHES_WIDE, INCHES_A_PANEL = 11.0, 3.7
DPI = 110
OURS, THEIRS, GOAL = "#1f6feb", "#8b949e", "#cf222e"
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")

Panel = Callable[[Axes], None]


def draw(report: Report, path: Path) -> None:
    """Write the chart as PNG."""
    mpl.use("Agg")
    panels = _panels(report)
    size = (INCHES_WIDE, INCHES_A_PANEL * max(len(panels), 1))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    for place, panel in enumerate(panels):
        panel(figure.add_subplot(len(panels), 1, place + 1))
    figure.suptitle(f"{report.measured_at[:10]}, {report.machine}", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the writer's version in it the file changes only where the picture does.
    figure.savefig(path, metadata={"Software": None})


def _panels(report: Report) -> list[Panel]:
    """Only what was measured."""
    panels: list[Panel] = []
    if report.comparison:
        panels.append(partial(_draw_speeds, report.comparison))
    if report.comparison and report.comparison.contests:
        panels.append(partial(_draw_ratios, report.comparison))
    if report.latency:
        panels.append(partial(_draw_latencies, report.latency))
    return panels


def _draw_speeds(comparison: Comparison, axes: Axes) -> None:
    bars = [
        (f"{PRODUCT}, {accounts_in_words(accounts)}", _speed(runs), OURS)
        for accounts, runs in comparison.product_runs.items()
    ]
    bars += [(each.label, _speed(each.peer_runs), THEIRS) for each in comparison.contests]
    names, values, colors = zip(*bars, strict=True)
    drawn = axes.barh(names, values, color=colors)
    axes.bar_label(drawn, labels=[f"{value:,.0f}" for value in values], padding=4)
    _dress(axes, "Requests a second, one row each (the product bills every one)", max(values))


def _draw_ratios(comparison: Comparison, axes: Axes) -> None:
    contests = comparison.contests
    names = [each.label for each in contests]
    values = [each.goal.measured for each in contests]
    goals = [each.goal_ratio for each in contests]
    axes.barh(names, values, color=OURS)
    for place, (value, goal) in enumerate(zip(values, goals, strict=True)):
        label = f"  {value:.2f} (goal {goal:g})"
        axes.text(max(value, goal), place, label, verticalalignment="center")
    axes.vlines(
        goals,
        [place - 0.4 for place in range(len(goals))],
        [place + 0.4 for place in range(len(goals))],
        color=GOAL,
        linewidth=2,
    )
    _dress(
        axes,
        "Requests/s of the product over the peer's, median of rounds; red: the goal",
        max(values + goals),
    )


def _draw_latencies(result: LatencyResult, axes: Axes) -> None:
    sides = [(f"{PRODUCT}, half of its peak", result.product, OURS)]
    if result.peer:
        sides.append((f"{PLAIN_PEER}, same rate", result.peer, THEIRS))
    height = 0.8 / len(sides)
    highest = 0.0
    for n, (name, runs, color) in enumerate(sides):
        values = [median([getattr(run.latency(), p) for run in runs]) for p in PERCENTILES]
        places = [place + n * height for place in range(len(PERCENTILES))]
        drawn = axes.barh(places, values, height=height, color=color, label=name)
        axes.bar_label(drawn, labels=[f"{value:.1f} ms" for value in values], padding=4)
        highest = max(highest, *values)
    axes.set_yticks(
        [place + height * (len(sides) - 1) / 2 for place in range(len(PERCENTILES))],
        [name.removesuffix("_ms") for name in PERCENTILES],
    )
    axes.legend(loc="upper right")
    _dress(
        axes, f"Latency at {result.rate:,.0f} requests/s offered, from the intended start", highest
    )


def _dress(axes: Axes, title: str, highest: float) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlim(0, highest * 1.2 or 1)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)


def _speed(runs: list[Run]) -> float:
    return median([run.requests_per_second for run in runs])
