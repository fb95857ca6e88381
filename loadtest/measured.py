"""What Locust measured, from the CSV files that it writes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

ALL = "Aggregated"
"""Locust's name for all requests together."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All requests of one name, or of all names."""

    requests: int
    failures: int
    requests_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def error_share(self) -> float:
        """Failed requests over all requests; everything failed where nothing was sent."""
        return self.failures / self.requests if self.requests else 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One second of a run. Requests and failures are counted from its start; percentiles are those
    of the last ten seconds."""

    at_seconds: float
    """Since 1970."""
    users: int
    offered_per_second: float
    """Requests that so many users begin where none has to wait for an answer."""
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def read_figures(path: Path) -> dict[str, Figures]:
    """`..._stats.csv` by name of the request, ALL among them."""
    with path.open(newline="") as lines:
        return {
            row["Name"]: Figures(
                requests=int(row["Request Count"]),
                failures=int(row["Failure Count"]),
                requests_per_second=float(row["Requests/s"]),
                p50_ms=_number(row["50%"]),
                p95_ms=_number(row["95%"]),
                p99_ms=_number(row["99%"]),
            )
            for row in csv.DictReader(lines)
        }


def read_moments(path: Path, per_user_second: float) -> list[Moment]:
    """`..._stats_history.csv`, all names together, from the first user on."""
    with path.open(newline="") as lines:
        moments = [
            Moment(
                at_seconds=float(row["Timestamp"]),
                users=int(row["User Count"]),
                offered_per_second=int(row["User Count"]) * per_user_second,
                requests=int(row["Total Request Count"]),
                failures=int(row["Total Failure Count"]),
                p50_ms=_number(row["50%"]),
                p95_ms=_number(row["95%"]),
                p99_ms=_number(row["99%"]),
            )
            for row in csv.DictReader(lines)
            if row["Name"] == ALL
        ]
    first = next((n for n, moment in enumerate(moments) if moment.users), len(moments))
    return moments[first:]


def _number(text: str) -> float:
    """Locust writes N/A where there was nothing to measure."""
    return 0.0 if text in ("", "N/A") else float(text)
