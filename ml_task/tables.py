"""Markdown tables and numbers with intervals, as the notebook shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ml_task.mistakes import Judged
from models.manifest import Estimate


def render_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def show(estimate: Estimate) -> str:
    """A mean with its interval."""
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def show_difference(estimate: Estimate) -> str:
    """A difference with its interval and signs."""
    return f"{estimate.mean:+.4f} [{estimate.low:+.4f}, {estimate.high:+.4f}]"


def show_judged(judged: Iterable[Judged], features_max: int) -> str:
    """A table of vectors; of their features the first few."""
    head = ("rows", "of them malware", "probability", "features", "such as")
    return render_table(
        head,
        (
            (
                one.rows,
                one.malware_rows,
                f"{one.probability:.2f}",
                len(one.features),
                ", ".join(f"`{name}`" for name in one.features[:features_max]) or "none at all",
            )
            for one in judged
        ),
    )
