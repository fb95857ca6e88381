"""What the process that leads a load test is told: keys, shape and where the tally goes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PLAN_VARIABLE = "FAREBOX_LOAD_PLAN"
"""Of the environment: the path of the file with the plan."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One run of Locust."""

    base_url: str
    shape: str
    seconds: float
    offered_per_second: float
    """At the top of the shape."""
    paying: list[str]
    careless: list[str]
    tally: Path
    """Where the sum of what was charged is written at the end."""

    def write(self, path: Path) -> None:
        """Keep it for Locust, readable by this user alone: it holds keys."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), default=str))


def read_plan(path: Path) -> LoadPlan:
    """What `LoadPlan.write` kept."""
    kept = json.loads(path.read_text())
    return LoadPlan(**{**kept, "tally": Path(kept["tally"])})
