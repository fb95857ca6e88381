"""Draws drift: probabilities served beside trained on, the worst features, PSI day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from farebox.errors import FareboxError
from models.reference import BINS
from serve.drift import Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRAINED, SERVED, LIMIT = "tab:gray", "tab:blue", "tab:red"
_INCHES_WIDE, _INCHES_A_MODEL, _DOTS_PER_INCH = 15, 3.8, 110
_FEATURES = 8

Day: TypeAlias = tuple[date, Finding]


def ensure_matplotlib() -> None:
    """Raise FareboxError saying how to install it where it is not: serving needs none."""
    try:
        import_module("matplotlib")
    except ImportError as error:
        raise FareboxError(
            "--plot needs matplotlib, which serving does not: pip install 'farebox[train]', "
            "or pip install matplotlib"
        ) from error


def draw_drift(findings: Sequence[Finding], days: Sequence[Day], alert: float, path: Path) -> None:
    """A row of three panels for each version into a PNG file. Needs matplotlib."""
    figure_class: Any = import_module("matplotlib.figure").Figure
    size = (_INCHES_WIDE, _INCHES_A_MODEL * len(findings))
    figure = figure_class(figsize=size, layout="constrained")
    rows = figure.subplots(len(findings), 3, squeeze=False)
    for finding, (probabilities, features, by_day) in zip(findings, rows, strict=True):
        _draw_probabilities(probabilities, finding)
        _draw_features(features, finding)
        of_version = [
            (day, one)
            for day, one in days
            if (one.model, one.version) == (finding.model, finding.version)
        ]
        _draw_days(by_day, of_version, alert)
    figure.savefig(path, dpi=_DOTS_PER_INCH, format="png")


def _draw_probabilities(panel: Axes, finding: Finding) -> None:
    edges = [number / BINS for number in range(BINS + 1)]
    rows = max(finding.scored.rows, 1)
    served = [count / rows for count in finding.scored.probability_bins]
    panel.stairs(served, edges, fill=True, alpha=0.5, color=SERVED, label="served")
    if finding.reference is not None:
        trained = [count / finding.reference.rows for count in finding.reference.probability_bins]
        panel.stairs(trained, edges, color=TRAINED, linewidth=1.5, label="trained on")
    panel.set_title(f"{finding.model} {finding.version}: {finding.verdict}, {rows} rows")
    panel.set_xlabel("probability")
    panel.set_ylabel("share of rows")
    panel.legend()


def _draw_features(panel: Axes, finding: Finding) -> None:
    worst = finding.drift.features[:_FEATURES][::-1] if finding.drift else ()
    places = range(len(worst))
    labels = [f"{one.name}  {one.psi:.2f}" for one in worst]
    panel.barh(
        [place + 0.2 for place in places],
        [one.served_share for one in worst],
        0.4,
        color=SERVED,
        label="served",
    )
    panel.barh(
        [place - 0.2 for place in places],
        [one.reference_share for one in worst],
        0.4,
        color=TRAINED,
        label="trained on",
    )
    panel.set_yticks(list(places), labels, fontsize=7)
    panel.set_title("features that moved farthest, and their PSI")
    panel.set_xlabel("share of rows that have it")


def _draw_days(panel: Axes, days: Sequence[Day], alert: float) -> None:
    known = [(day, one.drift) for day, one in days if one.drift and one.drift.is_known]
    names = [f"{day:%m-%d}" for day, _ in known]
    panel.plot(names, [drift.score_psi for _, drift in known], "o-", label="scores")
    panel.plot(names, [drift.feature_psi_max for _, drift in known], "s-", label="worst feature")
    panel.axhline(alert, color=LIMIT, linestyle="--", label="alert")
    panel.set_ylim(bottom=0)
    panel.set_title("PSI by day, where there are rows enough")
    panel.legend()
