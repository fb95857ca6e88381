"""Sums of use are exact, days without use are there, bars have one scale."""

from datetime import date
from decimal import Decimal
from typing import Any

from frontend.pages.history.charts import (
    Use,
    add_up,
    bar_percents,
    fill_days,
    group_weeks,
    make_column_plot,
    show_columns,
)


def row(period: str, charged: str, model: str = "a", predictions: int = 1) -> dict[str, Any]:
    return {
        "period": f"{period}T00:00:00Z",
        "model": model,
        "predictions": predictions,
        "instances": 2 * predictions,
        "charged": charged,
        "refunded": "0",
    }


def test_amounts_add_up_to_the_last_microcredit() -> None:
    rows = [row("2026-05-01", "0.1"), row("2026-06-01", "0.2"), row("2026-06-01", "0.000001")]
    sums = add_up(rows, lambda each: each["model"])
    assert sums == {"a": Use(3, 6, Decimal("0.300001"), Decimal(0))}


def test_what_cost_most_comes_first() -> None:
    rows = [row("2026-05-01", "9", "cheap"), row("2026-05-01", "10", "dear")]
    assert list(add_up(rows, lambda each: each["model"])) == ["dear", "cheap"]


def test_days_without_use_are_filled_in_and_others_left_out() -> None:
    rows = [row("2026-02-27", "5"), row("2026-03-01", "1", "a"), row("2026-03-01", "2", "b")]
    days = fill_days(rows, date(2026, 3, 2), 3)
    assert [(day.isoformat(), use.charged) for day, use in days.items()] == [
        ("2026-02-28", Decimal(0)),
        ("2026-03-01", Decimal(3)),
        ("2026-03-02", Decimal(0)),
    ]


def test_weeks_begin_on_monday_and_lose_nothing() -> None:
    days = fill_days([row("2026-11-29", "1"), row("2026-11-30", "2")], date(2026, 12, 1), 90)
    weeks = group_weeks(days)
    assert weeks[date(2026, 11, 23)].charged == 1
    assert weeks[date(2026, 11, 30)].charged == 2
    assert {monday.weekday() for monday in weeks} == {0}
    assert sum(weeks.values(), Use()) == sum(days.values(), Use())


def test_bars_are_parts_of_the_longest_and_small_ones_can_be_seen() -> None:
    values = [Decimal(200), Decimal(50), Decimal("0.000001"), Decimal(0)]
    assert bar_percents(values) == [100.0, 25.0, 1.0, 0.0]
    assert bar_percents([Decimal(0), Decimal(0)]) == [0.0, 0.0]
    assert bar_percents([]) == []


def test_columns_keep_the_order_given_and_stand_on_zero() -> None:
    shown = show_columns({"30 Nov": 2, "1 Dec": Decimal("0.5")}, label="By day", x_title="Day")
    assert shown["value"]["data"] == [["30 Nov", 2.0], ["1 Dec", 0.5]]
    assert shown["sort"] == ["30 Nov", "1 Dec"]
    assert make_column_plot("Credits").y_lim == [0, None]


def test_many_names_stand_on_end() -> None:
    many = show_columns({str(each): each for each in range(30)}, label="", x_title="")
    assert many["x_label_angle"] == -90
    assert show_columns({"a": 1}, label="", x_title="")["x_label_angle"] == 0
