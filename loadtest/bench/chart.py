"""One picture of a report: requests/s, ratios beside their goals, latency percentiles."""

from __future__ import annotations

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

INCHES = (11.0, 11.0)
DPI = 110
OURS, THEIRS, GOAL = "#1f6feb", "#8b949e", "#cf222e"
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")


def draw(report: Report, path: Path) -> None:
    """Write the chart as PNG."""
    mpl.use("Agg")
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    speeds, ratios, latencies = figure.subplots(3, 1)
    if report.comparison:
        _draw_speeds(speeds, report.comparison)
        _draw_ratios(ratios, report.comparison)
    if report.latency:
        _draw_latencies(latencies, report.latency)
    figure.suptitle(f"{report.measured_at[:10]}, {report.machine}", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the writer's version in it the file changes only where the picture does.
    figure.savefig(path, metadata={"Software": None})


def _draw_speeds(axes: Axes, comparison: Comparison) -> None:
    bars = [
        (f"{PRODUCT}, {accounts} account(s)", _speed(runs), OURS)
        for accounts, runs in comparison.product_runs.items()
    ]
    bars += [(each.label, _speed(each.peer_runs), THEIRS) for each in comparison.contests]
    names, values, colors = zip(*bars, strict=True)
    drawn = axes.barh(names, values, color=colors)
    axes.bar_label(drawn, labels=[f"{value:,.0f}" for value in values], padding=4)
    _dress(axes, "Requests a second, one row each (the product bills every one)", max(values))


def _draw_ratios(axes: Axes, comparison: Comparison) -> None:
    contests = comparison.contests
    if not contests:
        axes.set_axis_off()
        return
    names = [each.label for each in contests]
    values = [each.goal.measured for each in contests]
    goals = [each.goal_ratio for each in contests]
    drawn = axes.barh(names, values, color=OURS)
    labels = [f"{value:.2f} (goal {goal:g})" for value, goal in zip(values, goals, strict=True)]
    axes.bar_label(drawn, labels=labels, padding=4)
    axes.scatter(goals, range(len(goals)), marker="|", s=600, color=GOAL, label="goal", zorder=3)
    axes.legend(loc="lower right")
    _dress(axes, "Requests/s of the product over the peer's, median of rounds", max(values + goals))


def _draw_latencies(axes: Axes, result: LatencyResult) -> None:
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
    axes.legend(loc="lower right")
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
