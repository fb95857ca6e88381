"""What the load test's users saw and were charged; Locust's process writes it down at its end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Tally:
    """All users together. `unknown` is the price of requests whose outcome nobody saw."""

    requests: int = 0
    failures: int = 0
    requests_per_second: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    charged: Decimal = Decimal(0)
    unknown: Decimal = Decimal(0)
    answers_200: int = 0
    replays: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def error_share(self) -> float:
        """Failed requests over all requests; everything failed where nothing was sent."""
        return self.failures / self.requests if self.requests else 1.0

    def write(self, path: Path) -> None:
        """Keep the tally as JSON, amounts as text."""
        path.write_text(json.dumps(asdict(self), default=str, indent=2))


def read_tally(path: Path) -> Tally:
    """What `Tally.write` kept."""
    kept: dict[str, Any] = json.loads(path.read_text())
    amounts = {name: Decimal(kept[name]) for name in ("charged", "unknown")}
    return Tally(**{**kept, **amounts})
