"""`farebox models differences`: what challengers made of the rows that champions answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from billing.database import Database
from billing.reports.shadows import (
    DIFFERENCE_BOUNDS,
    Differences,
    ShadowDay,
    fetch_shadow_differences,
)
from billing.settings import BillingSettings
from farebox.store import with_database

_DAYS_MAX = 366

out = Console(highlight=False, soft_wrap=True)


def differences_command(
    name: Annotated[
        str | None, typer.Argument(help="Name of the model; left out: all", metavar="NAME")
    ] = None,
    days: Annotated[
        int, typer.Option(help="How many days back, today included (UTC)", min=1, max=_DAYS_MAX)
    ] = 7,
) -> None:
    """How far challengers in the shadow were from their champions, day by day.

    Differences are those of the probabilities, in absolute value; labels differ where each by its
    own threshold says another. Replicas store what they found every 10 s.
    """
    until = datetime.now(UTC).date()
    since = until - timedelta(days=days - 1)

    async def fetch(database: Database, _settings: BillingSettings) -> list[ShadowDay]:
        return await fetch_shadow_differences(database, since, until, name)

    found = with_database(fetch)
    if found:
        out.print(differences_table(found))
    else:
        out.print(_nothing_since(since), markup=False)


def differences_table(found: Sequence[ShadowDay]) -> Table:
    """A line for each day and pair; at the right how many instances differ by how much."""
    table = Table(box=None, pad_edge=False)
    table.add_column("day")
    table.add_column("model")
    table.add_column("compared")
    for title in ("instances", "labels differ", "mean", "largest", *_bucket_titles(), "left out"):
        table.add_column(title, justify="right")
    for one in found:
        pair, differences = one.pair, one.differences
        table.add_row(
            f"{one.day}",
            pair.model,
            f"{pair.challenger} with {pair.champion}",
            *_figures(differences),
        )
    return table


def _figures(found: Differences) -> list[str]:
    share_percent = 100 * found.disagreements / found.instances if found.instances else 0.0
    return [
        f"{found.instances}",
        f"{found.disagreements} ({share_percent:.2f} %)",
        f"{found.difference_mean:.4f}",
        f"{found.difference_max:.4f}",
        *map(str, found.histogram),
        f"{found.dropped + found.failed}",
    ]


def _bucket_titles() -> list[str]:
    return [f"< {DIFFERENCE_BOUNDS[0]:g}", *(f">= {bound:g}" for bound in DIFFERENCE_BOUNDS)]


def _nothing_since(since: date) -> str:
    return f"nothing was compared since {since} (UTC); farebox models shadow NAME VERSION starts it"
