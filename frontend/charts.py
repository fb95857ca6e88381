"""What charts share: exact sums turned into bars, and days without use filled in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import gradio as gr

Key = TypeVar("Key", bound=Hashable)

_HEIGHT_PIXELS = 260


@dataclass(frozen=True, slots=True)
class Use:
    """Predictions and the credits for them, exactly."""

    predictions: int = 0
    instances: int = 0
    charged: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)

    def __add__(self, other: Use) -> Use:
        return Use(
            self.predictions + other.predictions,
            self.instances + other.instances,
            self.charged + other.charged,
            self.refunded + other.refunded,
        )


def read_use(row: Mapping[str, Any]) -> Use:
    """Of a row of a report of the API."""
    return Use(
        row["predictions"], row["instances"], Decimal(row["charged"]), Decimal(row["refunded"])
    )


def add_up(
    rows: Iterable[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], Key]
) -> dict[Key, Use]:
    """The sum of all rows of each key; what cost most comes first."""
    sums: dict[Key, Use] = {}
    for row in rows:
        sums[key(row)] = sums.get(key(row), Use()) + read_use(row)
    return dict(sorted(sums.items(), key=lambda item: (-item[1].charged, -item[1].predictions)))


def fill_days(rows: Iterable[Mapping[str, Any]], last: date, days: int) -> dict[date, Use]:
    """The use of each of the `days` up to `last`, those without any included."""
    found = add_up(rows, lambda row: datetime.fromisoformat(row["period"]).astimezone(UTC).date())
    span = [last - timedelta(days=ago) for ago in reversed(range(days))]
    return {day: found.get(day, Use()) for day in span}


def bar_percents(values: Sequence[Decimal]) -> list[float]:
    """Lengths of bars: the largest value is 100, and what is above zero can be seen."""
    longest = max(values, default=Decimal(0))
    if longest <= 0:
        return [0.0 for _ in values]
    return [
        max(float(round(100 * value / longest, 1)), 1.0 if value > 0 else 0.0) for value in values
    ]


def day_columns(
    values: Mapping[date, Decimal | int], show: Callable[[date], str]
) -> dict[str, Any]:
    """What a plot of `make_day_plot` shows, in the order given.

    As Gradio's plots send it to the browser, but for days that are `ordinal`: labels without room
    are left out then. Floats, as these are heights of bars and no amounts.
    """
    return {
        "columns": ["day", "value"],
        "data": [[show(day), float(value)] for day, value in values.items()],
        "datatypes": {"day": "ordinal", "value": "quantitative"},
        "mark": "bar",
    }


def make_day_plot(label: str, day_title: str, value_title: str) -> gr.BarPlot:
    """A column a day, as wide as its place, from zero up."""
    return gr.BarPlot(
        x="day",
        y="value",
        label=label,
        x_title=day_title,
        y_title=value_title,
        y_lim=[0, None],
        height=_HEIGHT_PIXELS,
        buttons=[],
    )
