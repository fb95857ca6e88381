"""`farebox models differences`: what challengers made of the rows that champions answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from rich.console import Console
from rich.table import Table

from billing.database import Database
from billing.reports.shadows import (
    DIFFERENCE_BOUNDS,
    ShadowDay,
    fetch_shadow_differences,
)
from billing.settings import BillingSettings
from farebox.store import with_database

out = Console(highlight=False, soft_wrap=True)


def tell_differences(name: str | None, days: int) -> None:
    """Print what was found in the last `days` days, of one model or of all."""
    until = datetime.now(UTC).date()
    since = until - timedelta(days=days - 1)

    async def fetch(database: Database, _settings: BillingSettings) -> list[ShadowDay]:
        return await fetch_shadow_differences(database, since, until, name)

    found = with_database(fetch)
    if not found:
        out.print(_nothing_since(since), markup=False)
    for model in dict.fromkeys(one.pair.model for one in found):
        of_model = [one for one in found if one.pair.model == model]
        out.print(f"[bold]{model}[/]")
        out.print(summary_table(of_model))
        out.print()
        out.print(histogram_table(of_model))


def summary_table(found: Sequence[ShadowDay]) -> Table:
    """A line for each day and pair of one model; narrow enough for 80 columns."""
    table = _table("instances", "labels differ", "mean", "largest", "left out")
    for one in found:
        of_pair = one.differences
        share = of_pair.disagreements / of_pair.instances if of_pair.instances else 0.0
        table.add_row(
            f"{one.day}",
            _pair(one),
            f"{of_pair.instances}",
            f"{of_pair.disagreements} ({share:.2%})",
            f"{of_pair.difference_mean:.4f}",
            f"{of_pair.difference_max:.4f}",
            f"{of_pair.dropped + of_pair.failed}",
        )
    return table


def histogram_table(found: Sequence[ShadowDay]) -> Table:
    """How many instances of one model differ by how much."""
    table = _table(*_bucket_titles())
    for one in found:
        table.add_row(f"{one.day}", _pair(one), *map(str, one.differences.histogram))
    return table


def _table(*figures: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("day", no_wrap=True)
    table.add_column("compared", no_wrap=True)
    for title in figures:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _pair(one: ShadowDay) -> str:
    return f"{one.pair.challenger} with {one.pair.champion}"


def _bucket_titles() -> list[str]:
    return [f"<{DIFFERENCE_BOUNDS[0]:g}", *(f"{bound:g}+" for bound in DIFFERENCE_BOUNDS)]


def _nothing_since(since: date) -> str:
    return f"nothing was compared since {since} (UTC); farebox models shadow NAME VERSION starts it"
