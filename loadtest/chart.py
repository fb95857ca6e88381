"""Charts of a run over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtest.measured import Moment
from loadtest.timeline import paces

mpl.use("Agg")

WIDTH_INCHES = 11
PANEL_INCHES = 2.6
DOTS_PER_INCH = 110
OFFERED, ACHIEVED, FAILED = "tab:gray", "tab:blue", "tab:red"


def draw_run(moments: Sequence[Moment], title: str, path: Path) -> None:
    """Rates, latencies and users, one below the other."""
    figure, (rates, latencies, users) = make_panels(3, title)
    draw_rates(rates, moments)
    seconds = [moment.at_seconds - moments[0].at_seconds for moment in moments]
    for name in ("p50", "p95", "p99"):
        values = [getattr(moment, f"{name}_ms") for moment in moments]
        latencies.plot(seconds, values, label=name)
    latencies.set_ylabel("ms, last 10 s")
    users.plot(seconds, [moment.users for moment in moments], color="tab:green", label="users")
    users.set_ylabel("users")
    finish(figure, (rates, latencies, users), path)


def draw_rates(panel: Axes, moments: Sequence[Moment]) -> None:
    """Offered and achieved requests/s, and failures where there were any."""
    rates = paces(moments)
    seconds = [pace.second for pace in rates]
    panel.plot(seconds, [p.offered_per_second for p in rates], "--", color=OFFERED, label="offered")
    panel.plot(seconds, [p.achieved_per_second for p in rates], color=ACHIEVED, label="achieved")
    if any(pace.failed_per_second for pace in rates):
        panel.plot(seconds, [p.failed_per_second for p in rates], color=FAILED, label="failed")
    panel.set_ylabel("requests/s")


def make_panels(count: int, title: str) -> tuple[Figure, list[Axes]]:
    """So many panels over one time axis."""
    figure = Figure(figsize=(WIDTH_INCHES, PANEL_INCHES * count), layout="constrained")
    panels = figure.subplots(count, 1, sharex=True, squeeze=False)
    figure.suptitle(title)
    return figure, [row[0] for row in panels]


def finish(figure: Figure, panels: Sequence[Axes], path: Path) -> None:
    """Scales from zero, a legend for each panel, and the file."""
    for panel in panels:
        panel.set_ylim(bottom=0)
        panel.grid(visible=True, alpha=0.3)
        panel.legend(loc="upper left", fontsize="small")
    panels[-1].set_xlabel("seconds")
    figure.savefig(path, dpi=DOTS_PER_INCH)
