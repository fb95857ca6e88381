"""Plots of the data set: labels, vectors, columns, associations, near-duplicates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.loader import Matrix
from ml_task.associations import Association
from ml_task.neighbours import Neighbours
from ml_task.plot_style import FIRST, GOODWARE, MALWARE, QUIET, make_axes, say, shorten
from ml_task.vectors import Balance, VectorTable

REPEATS = (1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 10_000)
FLIPS_MAX = 12
ONES_MAX = 30


def plot_balance(rows: Balance, vectors: Balance) -> Figure:
    """The labels' shares among rows and among unique vectors."""
    figure, [axes] = make_axes(height=2.0)
    for place, one in enumerate((vectors, rows)):
        whole, left = one.goodware + one.malware + one.both, 0.0
        parts = ((one.goodware, GOODWARE), (one.malware, MALWARE), (one.both, QUIET))
        for count, colour in parts:
            axes.barh(place, count / whole, left=left, color=colour)
            if count / whole > 0.02:  # noqa: PLR2004 (less has no room for a number)
                axes.text(left + count / whole / 2, place, f"{count:,}", ha="center", va="center")
            left += count / whole
    axes.set(yticks=[0, 1], yticklabels=["unique vectors", "rows"], xlim=(0, 1), xlabel="share")
    axes.grid(visible=False)
    axes.set_title(
        f"Malware is {rows.malware_share:.0%} of the rows "
        f"but {vectors.malware_share:.0%} of the unique vectors"
    )
    _label_legend(axes)
    return figure


def plot_repeats(table: VectorTable) -> Figure:
    """How often a vector is repeated."""
    figure, [axes] = make_axes()
    edges = np.array(REPEATS)
    for label, colour, shift in ((0, GOODWARE, -0.2), (1, MALWARE, 0.2)):
        counts, _ = np.histogram(table.rows[table.labels == label], bins=edges)
        axes.bar(np.arange(len(counts)) + shift, counts, width=0.4, color=colour)
    words = [
        str(low) if high == low + 1 else f"{low}-{high - 1}" for low, high in pairwise(edges[:-1])
    ]
    axes.set(yscale="log", xlabel="rows of a vector", ylabel="vectors (log scale)")
    axes.set_xticks(range(len(words) + 1), [*words, f"{edges[-2]}+"])
    top = np.sort(table.rows)[::-1][:10].sum() / table.rows.sum()
    axes.set_title(f"Ten vectors of {len(table.rows)} hold {top:.0%} of all rows")
    _label_legend(axes)
    return figure


def plot_ones(
    permissions: NDArray[np.int64], api_calls: NDArray[np.int64], labels: Matrix
) -> Figure:
    """Permissions and API calls of a unique vector, by label."""
    figure, both = make_axes(2)
    for axes, counts, word in zip(
        both, (permissions, api_calls), ("permissions", "API calls"), strict=True
    ):
        bins = (np.arange(min(int(counts.max()), ONES_MAX) + 2) - 0.5).tolist()
        for label, colour in ((0, GOODWARE), (1, MALWARE)):
            some = np.minimum(counts[labels == label], ONES_MAX)
            axes.hist(
                some, bins=bins, weights=np.full(len(some), 1 / len(some)), color=colour, alpha=0.65
            )
        means = [counts[labels == label].mean() for label in (1, 0)]
        axes.set(
            xlabel=f"{word} of a vector ({ONES_MAX} stands for more)",
            ylabel="share of the label's vectors",
        )
        axes.set_title(f"{means[0]:.1f} {word} in malware, {means[1]:.1f} in goodware")
    both[1].set(ylabel="")
    _label_legend(both[1])
    return figure


def plot_associations(associations: list[Association], count: int = 20) -> Figure:
    """The strongest features with their intervals, and how frequent they are."""
    shown = associations[:count][::-1]
    figure, (left, right) = make_axes(2, height=0.24 * count + 0.8)
    places = np.arange(len(shown))
    phi = np.array([one.phi for one in shown])
    spread = np.array([[one.phi - one.low, one.high - one.phi] for one in shown]).T
    colours = [MALWARE if value > 0 else FIRST for value in phi]
    left.barh(places, phi, color=colours, xerr=spread, ecolor=QUIET)
    left.set(yticks=places, yticklabels=[shorten(one.name) for one in shown], xlabel="phi")
    right.scatter([one.share_of_goodware for one in shown], places, color=GOODWARE)
    right.scatter([one.share_of_malware for one in shown], places, color=MALWARE)
    right.set(yticks=places, yticklabels=[], xlabel="share of the label's vectors", xlim=(-0.02, 1))
    say(
        figure,
        f"{shorten(shown[-1].name)} goes with malware most; "
        f"no feature alone says more than {max(one.bits for one in shown):.2f} bits of the label",
    )
    _label_legend(right)
    return figure


def plot_neighbours(neighbours: Neighbours) -> Figure:
    """How far the nearest other vector is, and how large the clusters are."""
    figure, (left, right) = make_axes(2)
    flips = np.minimum(neighbours.nearest_flips, FLIPS_MAX)
    bins = np.arange(FLIPS_MAX + 2) - 0.5
    for differs, colour, word in ((0, FIRST, "same label"), (1, MALWARE, "other label")):
        counts, _ = np.histogram(flips[neighbours.nearest_differs == differs], bins=bins)
        left.bar(range(FLIPS_MAX + 1), counts, color=colour, label=word, alpha=0.85)
    left.set(xlabel=f"flips to the nearest other vector ({FLIPS_MAX} and more)", ylabel="vectors")
    left.legend(title="the nearest has the")
    left.set_title(f"{neighbours.share_within(2):.0%} have a neighbour within two flips")
    sizes = neighbours.cluster_sizes
    right.loglog(np.arange(1, len(sizes) + 1), sizes, "o", color=FIRST, markersize=3)
    right.set(xlabel="clusters, the largest first", ylabel="vectors in the cluster")
    right.set_title(f"{len(sizes)} clusters; the largest has {sizes[0]} of {sizes.sum()} vectors")
    return figure


def _label_legend(axes: Axes) -> None:
    for colour, word in ((GOODWARE, "goodware"), (MALWARE, "malware")):
        axes.plot([], [], "s", color=colour, label=word)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
