"""What charts share: exact sums turned into bars, and days without use filled in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import gradio as gr

Key = TypeVar("Key", bound=Hashable)

_HEIGHT_PIXELS = 280
_UPRIGHT_MAX = 7
"""More names than these stand on end: they would run into each other on a phone."""


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


def group_weeks(by_day: Mapping[date, Use]) -> dict[date, Use]:
    """The use of each week, by its Monday; the first and the last can be parts of weeks."""
    weeks: dict[date, Use] = {}
    for day, use in by_day.items():
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, Use()) + use
    return weeks


def bar_percents(values: Sequence[Decimal]) -> list[float]:
    """Lengths of bars: the largest value is 100, and what is above zero can be seen."""
    longest = max(values, default=Decimal(0))
    if longest <= 0:
        return [0.0 for _ in values]
    return [
        max(float(round(100 * value / longest, 1)), 1.0 if value > 0 else 0.0) for value in values
    ]


def show_columns(
    values: Mapping[str, Decimal | int], *, label: str, x_title: str
) -> dict[str, Any]:
    """An update of a plot of `make_column_plot`: a column for each name, in the order given.

    Floats, as these are heights of columns and no amounts.
    """
    names = list(values)
    return gr.update(
        value={
            "columns": ["name", "value"],
            "data": [[name, float(value)] for name, value in values.items()],
            "datatypes": {"name": "nominal", "value": "quantitative"},
            "mark": "bar",
        },
        sort=names,
        label=label,
        x_title=x_title,
        x_label_angle=0 if len(names) <= _UPRIGHT_MAX else -90,
    )


def make_column_plot(y_title: str) -> gr.BarPlot:
    """Columns from zero up, as wide as their place; fill it by `show_columns`."""
    return gr.BarPlot(
        x="name",
        y="value",
        y_title=y_title,
        y_lim=[0, None],
        show_label=True,
        height=_HEIGHT_PIXELS,
        buttons=[],
    )
