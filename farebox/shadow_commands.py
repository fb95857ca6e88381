"""`farebox models differences`: what challengers made of the rows that champions answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from billing.database import Database
from billing.reports.shadows import DIFFERENCE_BOUNDS, ShadowDay, fetch_shadow_differences
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
    lines = [line for one in found for line in describe_day(one)] or [_nothing_since(since)]
    for line in lines:
        out.print(line, markup=False)


def describe_day(one: ShadowDay) -> list[str]:
    """A few lines that fit a terminal; at the end how many instances differ by how much."""
    pair, found = one.pair, one.differences
    lines = [f"{one.day}  {pair.model}: {pair.challenger} in the shadow of {pair.champion}"]
    if found.instances:
        share = f"{100 * found.disagreements / found.instances:.2f} %"
        mean, largest = f"{found.difference_mean:.4f}", f"{found.difference_max:.4f}"
        lines += [
            f"  {found.instances} instances, {found.disagreements} ({share}) with another label",
            f"  difference on average {mean}, at most {largest}",
            f"  {_describe_histogram(found.histogram)}",
        ]
    if found.dropped or found.failed:
        lines.append(
            f"  left out: {found.dropped} as too many waited, {found.failed} that "
            f"{pair.challenger} could not score"
        )
    return lines


def _describe_histogram(histogram: Sequence[int]) -> str:
    bounds = (0.0, *DIFFERENCE_BOUNDS)
    parts = [f"{n} from {low:g}" for low, n in zip(bounds, histogram, strict=True) if n]
    return f"differences: {', '.join(parts)}"


def _nothing_since(since: date) -> str:
    return f"nothing was compared since {since} (UTC); farebox models shadow NAME VERSION starts it"
