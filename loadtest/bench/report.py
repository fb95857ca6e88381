"""Everything that one benchmark measured and checked, as plain values too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from loadtest.bench.bulk import BulkResult
from loadtest.bench.ceiling import Ceiling
from loadtest.bench.comparison import Comparison
from loadtest.bench.goals import Goal
from loadtest.bench.latency import LatencyResult
from loadtest.bench.machine import Machine
from loadtest.bench.overload import OverloadResult
from loadtest.bench.run import Run
from loadtest.bench.sizes import Sizes

RESULTS = Path("loadtest/results")
GROWTH = RESULTS / "growth.json"


@dataclass(frozen=True, slots=True)
class Report:
    """A scenario that was not carried out, or not reported, is None."""

    measured_at: str
    command: str
    machine: Machine
    versions: dict[str, dict[str, str]]
    sizes: Sizes
    ceilings: list[Ceiling]
    comparison: Comparison | None
    latency: LatencyResult | None
    overload: OverloadResult | None
    bulk: BulkResult | None
    growth: dict[str, Any] | None
    money: dict[str, str]
    refused: list[str]
    faults: list[str]

    @property
    def goals(self) -> list[Goal]:
        """Every goal that something was measured for."""
        contests = self.comparison.contests if self.comparison else []
        goals = [contest.goal for contest in contests]
        for result in (self.latency, self.overload, self.bulk):
            goals += result.goals if result else []
        if self.growth:
            goals.append(Goal("rate on a grown ledger", self.growth["ratio"], self.growth["goal"]))
        return goals


def keep(report: Report, folder: Path = RESULTS) -> Path:
    """Write the report as JSON; returns where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"bench-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    goals = [{**plain(goal), "reached": goal.reached} for goal in report.goals]
    path.write_text(json.dumps({**plain(report), "goals": goals}, indent=2) + "\n")
    return path


def plain(value: object) -> Any:  # noqa: ANN401 # JSON has no type of its own
    """Dataclasses, mappings and lists as what JSON knows; runs as their percentiles."""
    if isinstance(value, Run):
        return plain(value.as_json())
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, Decimal | Path) else value


def read_growth(path: Path = GROWTH) -> dict[str, Any] | None:
    """What the growth benchmark kept, if it ever ran here."""
    if not path.exists():
        return None
    growth: dict[str, Any] = json.loads(path.read_text())
    return growth
