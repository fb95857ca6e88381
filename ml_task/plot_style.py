"""How the plots look: colours that the colour-blind can tell apart, titles that say the finding."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Of Okabe and Ito's palette; the two labels differ in lightness as well.
GOODWARE, MALWARE = "#56B4E9", "#D55E00"
FIRST, SECOND, THIRD, FOURTH = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
QUIET = "#7F7F7F"
DPI = 90

STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "font.size": 9,
    "legend.frameon": False,
    "figure.dpi": DPI,
}


def make_axes(
    count: int = 1, *, width: float = 9.0, height: float = 3.4
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` axes beside each other; the caller saves or shows it."""
    plt.rcParams.update(STYLE)  # titles and legends, which come later, read it too
    figure, grid = plt.subplots(
        1, count, figsize=(width, height), layout="constrained", squeeze=False
    )
    plt.close(figure)  # a notebook shows what a cell gives back, not also what is open
    return figure, list(grid[0])


def say(figure: Figure, finding: str) -> None:
    """Put what all axes of a figure show together above them."""
    figure.suptitle(finding, x=0.01, ha="left", fontsize=11)


def shorten(name: str, length: int = 34) -> str:
    """A feature's name without its package, cut to fit beside a bar."""
    last = name.rsplit("/", 1)[-1].replace(";->", ".")
    return last if len(last) <= length else f"{last[: length - 1]}…"
