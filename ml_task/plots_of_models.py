"""Plots of models: comparison, calibration, cost, contributions, sizes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data.loader import Matrix
from ml_task.calibration import Reliability
from ml_task.candidates import MAJORITY
from ml_task.contributions import Contributions
from ml_task.evaluate import INTERVAL, OutOfFold, resample_groups
from ml_task.metrics import Floats
from ml_task.plot_style import (
    FIRST,
    FOURTH,
    GOODWARE,
    MALWARE,
    QUIET,
    SECOND,
    THIRD,
    make_axes,
    say,
    shorten,
)
from ml_task.sizes import Size
from ml_task.threshold import COST_RATIO, GRID, price_rows
from models.manifest import Estimate, SplitMetrics

RESAMPLES = 200
Metrics = dict[str, SplitMetrics]


def plot_splits(by_split: Metrics) -> Figure:
    """One model on every split."""
    figure, both = make_axes(2, height=2.4)
    for axes, name in zip(both, ("f1_macro", "brier"), strict=True):
        _draw_intervals(
            axes,
            {one.about: getattr(one, name) for one in by_split.values()},
            [QUIET if one.leaks else FIRST for one in by_split.values()],
        )
    leak, honest = by_split["random_rows"], by_split["held_out_clusters"]
    both[0].set(xlabel="macro F1 (more is better)")
    both[1].set(xlabel="Brier score (less is better)", yticklabels=[])
    say(
        figure,
        f"Without leaks macro F1 falls from {leak.f1_macro.mean:.3f} to {honest.f1_macro.mean:.3f} "
        f"and the Brier score rises {honest.brier.mean / leak.brier.mean:.1f} times",
    )
    return figure


def plot_candidates(by_split: dict[str, Metrics]) -> Figure:
    """Each candidate's macro F1 and Brier score with intervals; a colour for each split."""
    figure, both = make_axes(2, height=3.2)
    for axes, name in zip(both, ("f1_macro", "brier"), strict=True):
        for place, (about, candidates) in enumerate(by_split.items()):
            estimates = {
                word: getattr(one, name)
                for word, one in candidates.items()
                if word != MAJORITY.name
            }
            colour = (FIRST, SECOND)[place]
            _draw_intervals(axes, estimates, [colour] * len(estimates), about, 0.15 - 0.3 * place)
    both[0].set(xlabel="macro F1 (more is better)")
    both[1].set(xlabel="Brier score (less is better)", yticklabels=[])
    figure.legend(*both[1].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    baseline = next(iter(by_split.values()))[MAJORITY.name]
    say(
        figure,
        "Tuned candidates differ by less than their intervals; the baseline, macro F1 "
        f"{baseline.f1_macro.mean:.2f} and Brier {baseline.brier.mean:.2f}, is far off the scale",
    )
    return figure


def plot_reliability(by_model: dict[str, Reliability], brier: dict[str, float]) -> Figure:
    """Said against observed probability."""
    figure, all_axes = make_axes(len(by_model), height=3.2)
    for axes, (name, one) in zip(all_axes, by_model.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--")
        spread = np.clip([one.observed - one.low, one.high - one.observed], 0, None)
        axes.errorbar(one.predicted, one.observed, yerr=spread, fmt="o-", color=FIRST, capsize=2)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="mean probability said")
        axes.set_title(f"{name}: Brier {brier[name]:.4f}")
    all_axes[0].set(ylabel="share that was malware")
    return figure


def plot_cost(out_of_fold: OutOfFold, chosen: float) -> Figure:
    """What an app costs on average at each threshold, for three ratios of costs."""
    figure, [axes] = make_axes()
    ratios = ((2.0, THIRD), (COST_RATIO, FIRST), (20.0, FOURTH))
    weights = resample_groups(out_of_fold.groups, RESAMPLES)
    for ratio, colour in ratios:
        rows = price_rows(out_of_fold, ratio)
        axes.plot(GRID, rows.mean(axis=0), color=colour, label=f"a miss costs {ratio:g} alarms")
        low, high = np.quantile(weights @ rows / weights.sum(axis=1)[:, None], INTERVAL, axis=0)
        axes.fill_between(GRID, low, high, color=colour, alpha=0.12)
    cost = price_rows(out_of_fold).mean(axis=0)
    saved = 1 - cost[round(chosen * 100) - 1] / cost[round(0.5 * 100) - 1]
    axes.axvline(chosen, color=QUIET, linestyle="--")
    axes.set(xlabel="threshold", ylabel="cost of an app, in false alarms", yscale="log")
    axes.set_title(
        f"Malware from {chosen:.2f} on costs {saved:.0%} less than from 0.50 on, "
        f"where a miss costs {COST_RATIO:g} alarms"
    )
    axes.legend(loc="lower right")
    return figure


def plot_contributions(
    contributions: Contributions, matrix: Matrix, gain: Floats, count: int = 15
) -> Figure:
    """The features that move the log-odds most: each row's value, and the gain beside it."""
    figure, (left, right) = make_axes(2, height=0.28 * count + 0.8)
    columns = contributions.rank(count)[::-1]
    random = np.random.default_rng(0)
    for place, column in enumerate(columns):
        values, present = contributions.values[:, column], matrix[:, column] == 1
        heights = place + random.uniform(-0.25, 0.25, len(values))
        for some, colour in ((~present, GOODWARE), (present, MALWARE)):
            left.scatter(values[some], heights[some], s=4, color=colour, alpha=0.5, linewidths=0)
    names = [shorten(contributions.names[column]) for column in columns]
    left.set(yticks=range(count), yticklabels=names, xlabel="SHAP value, log-odds of malware")
    left.scatter([], [], color=GOODWARE, label="absent")
    left.scatter([], [], color=MALWARE, label="present")
    left.legend(loc="lower right")
    left.set_title(f"{names[-1]} moves most")
    right.barh(range(count), gain[columns], color=FIRST)
    right.set(yticks=range(count), yticklabels=[], xlabel="share of the gain of all splits")
    right.set_title(f"These {count} have {gain[columns].sum():.0%} of the gain")
    return figure


def plot_sizes(sizes: list[Size], chosen: Size, earlier: Size) -> Figure:
    """Quality against speed: rows a second in bulk, and one row's microseconds."""
    figure, (left, middle, right) = make_axes(3, width=11.0, height=3.6)
    for axes, name in ((left, "f1_macro"), (middle, "brier")):
        for one in sizes:
            estimate: Estimate = getattr(one.metrics, name)
            spread = [[estimate.mean - estimate.low], [estimate.high - estimate.mean]]
            axes.errorbar(
                one.speed.bulk_rows_per_second / 1e3,
                estimate.mean,
                yerr=spread,
                fmt="o",
                color=_colour(one, chosen, earlier),
                capsize=2,
            )
        axes.set(xlabel="1,000 rows/s, bulk of 1,024, one thread", xscale="log")
        axes.set_xticks(ticks := [200, 400, 800, 1600], [str(tick) for tick in ticks], minor=False)
        axes.minorticks_off()
    left.set(ylabel="macro F1, unique vectors")
    middle.set(ylabel="Brier score, unique vectors")
    smallest = max(sizes, key=lambda one: one.speed.bulk_rows_per_second).metrics
    left.set_title(f"Macro F1 falls to {smallest.f1_macro.mean:.3f} at the smallest")
    middle.set_title(f"the Brier score rises to {smallest.brier.mean:.3f}")
    _draw_single_row(right, sizes, chosen, earlier)
    ratio = chosen.speed.bulk_rows_per_second / earlier.speed.bulk_rows_per_second
    say(
        figure,
        f"{_size(chosen)} (orange) are as good as {_size(earlier)} (green) "
        f"and {ratio:.1f} times as quick in bulk",
    )
    return figure


def _draw_single_row(axes: Axes, sizes: list[Size], chosen: Size, earlier: Size) -> None:
    ordered = sorted(sizes, key=lambda one: one.recipe.trees * one.recipe.leaves, reverse=True)
    times = [one.speed.one_row_microseconds for one in ordered]
    axes.barh(range(len(ordered)), times, color=[_colour(one, chosen, earlier) for one in ordered])
    words = [f"{one.recipe.trees} x {one.recipe.leaves}" for one in ordered]
    axes.set(yticks=range(len(ordered)), yticklabels=words, xlabel="microseconds of one row")
    axes.set_title(f"A lone row takes {min(times):.0f} to {max(times):.0f} microseconds")


def _colour(size: Size, chosen: Size, earlier: Size) -> str:
    return {id(chosen): MALWARE, id(earlier): THIRD}.get(id(size), FIRST)


def _size(size: Size) -> str:
    return f"{size.recipe.trees} trees of {size.recipe.leaves} leaves"


def _draw_intervals(
    axes: Axes,
    estimates: dict[str, Estimate],
    colours: list[str],
    label: str | None = None,
    shift: float = 0.0,
) -> None:
    for place, (estimate, colour) in enumerate(zip(estimates.values(), colours, strict=True)):
        height = len(estimates) - 1 - place + shift
        axes.plot([estimate.low, estimate.high], [height, height], color=colour, linewidth=2)
        axes.plot(estimate.mean, height, "o", color=colour, label=label if place == 0 else None)
    axes.set(
        yticks=range(len(estimates)),
        yticklabels=list(estimates)[::-1],
        ylim=(-0.6, len(estimates) - 0.4),
    )
