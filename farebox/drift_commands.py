"""`farebox drift`: how far what models scored has moved from what they were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from billing.database import Database
from billing.reports.drift import ScoredRows, fetch_scored
from billing.settings import BillingSettings
from farebox.drift_plot import draw_drift, ensure_matplotlib
from farebox.store import with_database
from models.drift import Drift, Verdict
from serve.accounts.settings import AccountsSettings
from serve.drift import Finding, days_until, judge
from serve.settings import ServeSettings

out = Console(highlight=False, soft_wrap=True)

_COLOURS = {Verdict.DRIFTED: "bold red", Verdict.MODERATE: "yellow", Verdict.STABLE: "green"}
_DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which days of which models."""

    since: date
    until: date
    model: str | None
    version: str | None

    async def fetch(self, database: Database, _settings: BillingSettings) -> list[ScoredRows]:
        return await fetch_scored(database, self.since, self.until, self.model, self.version)


def drift_command(
    model: Annotated[str | None, typer.Argument(help="Which model; all if left out")] = None,
    *,
    version: Annotated[str | None, typer.Option(help="This version alone")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day, UTC; today")
    ] = None,
    days: Annotated[int, typer.Option(help="How many days together", min=1, max=_DAYS_MAX)] = 1,
    top: Annotated[int, typer.Option(help="How many features of each version", min=1)] = 10,
    plot: Annotated[Path | None, typer.Option(help="Draw it into this PNG file too")] = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Exit code 1 where FAREBOX_DRIFT_PSI_ALERT is passed")
    ] = False,
) -> None:
    """How far what was scored has moved from the training data, by PSI."""
    if plot is not None:
        ensure_matplotlib()
    asked = _Asked(
        *days_until(day.date() if day else datetime.now(UTC).date(), days), model, version
    )
    threshold = AccountsSettings().drift_psi_alert
    models_dir = ServeSettings().models_dir
    scored = with_database(asked.fetch)
    findings = judge(models_dir, scored, threshold)
    if not findings:
        out.print(f"no rows were scored from {asked.since} to before {asked.until} (UTC)")
    for finding in findings:
        _print_finding(finding, top)
    if plot is not None and findings:
        by_day = [(each, judge(models_dir, [each], threshold)[0]) for each in scored]
        draw_drift(findings, [(each.day, of_day) for each, of_day in by_day], threshold, plot)
        out.print(f"drawn into {escape(str(plot))}")
    if alert and _any_drifted(findings):
        raise typer.Exit(1)


def _any_drifted(findings: Sequence[Finding]) -> bool:
    return any(finding.verdict is Verdict.DRIFTED for finding in findings)


def _print_finding(finding: Finding, top: int) -> None:
    colour = _COLOURS.get(finding.verdict, "dim")
    name = escape(f"{finding.model} {finding.version}")
    out.print(f"[bold]{name}[/]: [{colour}]{finding.verdict}[/], {finding.scored.rows} rows")
    if finding.fault:
        out.print(f"  {escape(finding.fault)}")
    if finding.drift is None or finding.reference is None:
        return
    drift = finding.drift
    if drift.verdict is Verdict.TOO_FEW_ROWS:
        out.print(f"  {_what_is_needed(drift)}")
    out.print(f"  against {finding.reference.rows:g} rows: {escape(finding.reference.weighting)}")
    out.print(
        f"  PSI of the scores {drift.score_psi:.3f}, of the worst feature "
        f"{drift.feature_psi_max:.3f}"
    )
    out.print(_table(drift, top))


def _what_is_needed(drift: Drift) -> str:
    if drift.rows_needed is None:
        return "the reference itself has too few rows for a verdict"
    return f"a verdict takes {drift.rows_needed} rows: PSI of fewer is mostly noise"


def _table(drift: Drift, top: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("  feature")
    for heading in ("PSI", "trained on", "served"):
        table.add_column(heading, justify="right")
    for feature in drift.features[:top]:
        table.add_row(
            f"  {escape(feature.name)}",
            f"{feature.psi:.3f}",
            f"{feature.reference_share:.1%}",
            f"{feature.served_share:.1%}",
        )
    return table
