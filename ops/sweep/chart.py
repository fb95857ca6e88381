"""One picture of a sweep: throughput and p99 against the values of each knob."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ops.sweep.measuring import Point

mpl.use("Agg")

_COLUMNS = 4
_PANEL_INCHES = (3.2, 1.9)
_RATES, _LATENCIES = "requests/s", "p99"


def draw(points: Sequence[Point], path: Path) -> None:
    """Two panels a knob, one above the other, each as a ratio to the base, with 1 as a line.

    Where a value was measured in several rounds: the median, and a bar from the least to the most.
    """
    knobs = list(dict.fromkeys(point.knob for point in points))
    columns = min(_COLUMNS, max(1, len(knobs)))
    rows = 2 * -(-len(knobs) // columns)
    figure = Figure(
        figsize=(_PANEL_INCHES[0] * columns, _PANEL_INCHES[1] * max(rows, 2)),
        layout="constrained",
    )
    axes = figure.subplots(max(rows, 2), columns, squeeze=False)
    for panel in axes.flat:
        panel.set_axis_off()
    for place, knob in enumerate(knobs):
        row, column = 2 * (place // columns), place % columns
        own = [point for point in points if point.knob == knob]
        _draw_panel(axes[row][column], own, _RATES, lambda point: point.rate_ratio)
        _draw_panel(axes[row + 1][column], own, _LATENCIES, lambda point: point.p99_ratio)
        axes[row][column].set_title(f"{knob.deployment}\n{knob.name}", fontsize=9)
    if knobs:
        axes[0][0].legend(fontsize=7, title="connections", title_fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def _draw_panel(
    panel: Axes, points: Sequence[Point], name: str, ratio: Callable[[Point], float]
) -> None:
    base = points[0].base_value
    values = sorted({point.value for point in points} | {base})
    panel.set_axis_on()
    panel.axhline(1, color="0.7", linewidth=0.8)
    panel.axvline(values.index(base), color="0.85", linewidth=4, zorder=0)
    for connections in sorted({point.connections for point in points}):
        own = [point for point in points if point.connections == connections]
        rounds = [[ratio(point) for point in own if point.value == value] for value in values]
        heights = [median(ratios or [1.0]) for ratios in rounds]
        below = [
            height - min(ratios or [1.0]) for height, ratios in zip(heights, rounds, strict=True)
        ]
        above = [
            max(ratios or [1.0]) - height for height, ratios in zip(heights, rounds, strict=True)
        ]
        panel.errorbar(
            range(len(values)),
            heights,
            yerr=(below, above),
            marker="o",
            markersize=3,
            elinewidth=0.8,
            capsize=2,
            label=str(connections),
        )
    panel.set_xticks(range(len(values)), [str(value) for value in values], fontsize=7)
    panel.tick_params(axis="y", labelsize=7)
    panel.set_ylabel(f"{name} / base", fontsize=7)
