"""What the account used, by day, by model and by key: charts, and tables that say the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import gradio as gr
from babel.dates import format_date, format_skeleton

from frontend.context import Console
from frontend.days import moment_of
from frontend.html import html_block
from frontend.links import link
from frontend.pages.frame import Page
from frontend.pages.history.charts import (
    Use,
    add_up,
    bar_percents,
    fill_days,
    group_weeks,
    make_column_plot,
    show_columns,
)
from frontend.pages.history.names import fetch_key_names, show_key
from frontend.pages.history.view import View, find_view, read_query
from frontend.server import Server, ServerError

_DAYS = (7, 30, 90)
_DAYS_DEFAULT = 30
_BY_DAY_MAX = 31
"""More days than these are shown by the week."""
_TITLES = {
    "day": {
        "predictions": "predictions_by_day",
        "charged": "charged_by_day",
        "table": "table_by_day",
    },
    "week": {
        "predictions": "predictions_by_week",
        "charged": "charged_by_week",
        "table": "table_by_week",
    },
}
"""Names of the texts above charts and tables."""


def build_usage(page: Page) -> None:
    """Sums, two charts over time, and tables; nothing but a hint before any use."""
    console = page.console
    texts = console.texts.section("history")

    async def show(request: gr.Request) -> tuple[Any, ...]:
        query = read_query(request)
        if find_view(query) is not View.USAGE:
            return (gr.skip(),) * 5
        try:
            today = datetime.now(UTC).date()
            use = await _fetch(console, console.of(request), read_days(query), today)
        except ServerError as error:
            hidden = gr.update(visible=False)
            return console.show_fault(console.say(error)), hidden, gr.skip(), gr.skip(), ""
        head = console.templates.render("history_usage.html", use)
        if use["total"] == Use():
            return head, gr.update(visible=False), gr.skip(), gr.skip(), ""
        tables = console.templates.render("history_usage_tables.html", use, day_name=day_name)
        plots = [
            show_columns(
                {short_name(day): getattr(each, what) for day, each in use["by_time"].items()},
                label=texts[use["titles"][what]],
                x_title=texts[use["step"]],
            )
            for what in ("predictions", "charged")
        ]
        return head, gr.update(visible=True), *plots, tables

    def day_name(day: date) -> str:
        return format_date(day, "d MMM", locale=str(console.language))

    def short_name(day: date) -> str:
        return format_skeleton("Md", day, locale=str(console.language))

    head = html_block()
    with gr.Column(visible=False) as charts:
        predictions = make_column_plot(texts["predictions"])
        charged = make_column_plot(texts["credits"])
    tables = html_block()
    page.on_load(show, None, [head, charts, predictions, charged, tables])


def read_days(query: Mapping[str, str]) -> int:
    """How many days the address asks for, of those that can be chosen."""
    return next((days for days in _DAYS if str(days) == query.get("days")), _DAYS_DEFAULT)


async def _fetch(console: Console, server: Server, days: int, today: date) -> dict[str, Any]:
    """What the templates show of the last `days`, today included."""
    first = moment_of(today - timedelta(days=days - 1))
    path = "/accounts/v1/usage"
    by_day, by_model, by_key, names = await asyncio.gather(
        server.get(path, by="day", since=first),
        server.get(path, by="month", group="model,version", since=first),
        server.get(path, by="month", group="key", since=first),
        fetch_key_names(console, server),
    )
    models = add_up(by_model["rows"], lambda row: f"{row['model']} {row['version']}")
    keys = add_up(by_key["rows"], lambda row: row["key_id"])
    use = fill_days(by_day["rows"], today, days)
    step = "week" if days > _BY_DAY_MAX else "day"
    page = console.path("history")
    return {
        "days": days,
        "choices": {each: link(page, {"view": View.USAGE, "days": each}) for each in _DAYS},
        "as_of": by_day["as_of"],
        "step": step,
        "titles": _TITLES[step],
        "by_time": group_weeks(use) if step == "week" else use,
        "total": sum(use.values(), Use()),
        "by_model": _with_bars(models),
        "by_key": _with_bars({show_key(names, key): each for key, each in keys.items()}),
    }


def _with_bars(sums: Mapping[str, Use]) -> list[tuple[str, Use, float]]:
    """Name, sums and the length of the bar in percent."""
    bars = bar_percents([use.charged for use in sums.values()])
    return [(name, use, bar) for (name, use), bar in zip(sums.items(), bars, strict=True)]
