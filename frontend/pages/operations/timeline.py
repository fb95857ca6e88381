"""The timeline of the service: which one is asked for, and its gaps filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

STEPS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}

OUTCOMES = ("answered", "refused", "failed")
QUANTILES = ("p50_ms", "p95_ms", "p99_ms")


@dataclass(frozen=True, slots=True)
class View:
    """So many hours back, by the step."""

    hours: int
    step: str

    def since(self, now: datetime) -> str:
        """As the API is asked."""
        return (now - timedelta(hours=self.hours)).isoformat()


SPANS = {"day": 24, "week": 7 * 24, "month": 30 * 24}
"""Hours back, of the summary."""

VIEWS = {
    "minutes": View(3, "minute"),
    "hours": View(24, "hour"),
    "week": View(7 * 24, "hour"),
    "days": View(30 * 24, "day"),
}

Point = tuple[datetime, str, float]
"""When, of which line, how much."""


def fill_gaps(report: dict[str, Any], step: str) -> list[dict[str, Any]]:
    """Every period up to now; those that the API leaves out had nothing happen in them."""
    known = {datetime.fromisoformat(each["period"]): each for each in report["periods"]}
    end = min(datetime.fromisoformat(report["until"]), datetime.fromisoformat(report["as_of"]))
    period = datetime.fromisoformat(report["since"])
    filled = []
    while period < end:
        filled.append({**_nothing(step), **known.get(period, {}), "period": period})
        period += STEPS[step]
    return filled


def _nothing(step: str) -> dict[str, Any]:
    zero: dict[str, Any] = {"predictions": 0, "charged": "0", "refunded": "0"}
    if step == "minute":  # the ledger's sums are kept by the hour
        zero = dict.fromkeys(zero)
    requests = dict.fromkeys(("total", *OUTCOMES), 0)
    return {**zero, "requests": requests, "latency": None}


def count_predictions(periods: Sequence[dict[str, Any]], line: str) -> list[Point]:
    """Predictions by period; none where they are not known."""
    known = [each for each in periods if each["predictions"] is not None]
    return [(each["period"], line, each["predictions"]) for each in known]


def draw_credits(periods: Sequence[dict[str, Any]], lines: dict[str, str]) -> list[Point]:
    """`lines`: what `charged` and `refunded` are called. A drawing alone may round."""
    return [
        (each["period"], shown, float(each[name]))
        for name, shown in lines.items()
        for each in periods
        if each[name] is not None
    ]


def draw_requests(periods: Sequence[dict[str, Any]], lines: dict[str, str]) -> list[Point]:
    """`lines`: what each of OUTCOMES is called."""
    return [
        (each["period"], shown, each["requests"][name])
        for name, shown in lines.items()
        for each in periods
    ]


def draw_latency(periods: Sequence[dict[str, Any]], lines: dict[str, str]) -> list[Point]:
    """`lines`: what each of QUANTILES is called. Periods without an answer have no latency."""
    return [
        (each["period"], shown, each["latency"][name])
        for name, shown in lines.items()
        for each in periods
        if each["latency"]
    ]


def add_credits(periods: Sequence[dict[str, Any]]) -> dict[str, str]:
    """`charged` and `refunded` of all periods together, exactly."""
    return {
        name: str(sum((Decimal(each[name] or 0) for each in periods), Decimal()))
        for name in ("charged", "refunded")
    }


def find_busiest(periods: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The period with the most requests, the first of those; None without any request."""
    busiest = max(periods, key=lambda each: each["requests"]["total"], default=None)
    return busiest if busiest and busiest["requests"]["total"] else None


def find_slowest(periods: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The period with the highest p99."""
    timed = [each for each in periods if each["latency"]]
    return max(timed, key=lambda each: each["latency"]["p99_ms"], default=None)
