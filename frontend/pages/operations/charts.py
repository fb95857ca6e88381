"""Charts: the service over time, by latency, by model, by account; each with its words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import gradio as gr
import pandas as pd

from frontend.html import html_block
from frontend.pages.operations.latency import LABELS, merge_buckets
from frontend.pages.operations.lookups import fetch_emails
from frontend.pages.operations.part import Part
from frontend.pages.operations.timeline import (
    OUTCOMES,
    QUANTILES,
    VIEWS,
    Point,
    View,
    add_credits,
    count_predictions,
    draw_credits,
    draw_latency,
    draw_requests,
    fill_gaps,
    find_busiest,
    find_slowest,
)

_COLOURS = ("#1f9e96", "#d97706", "#dc4c64")
"""Teal, amber, red: apart from each other also without colour vision, on white and on dark."""

_HEIGHT = 260
_TOP = 10
_CLOCK_HOURS = 24
"""Up to so long the axis tells the time alone."""

_FIRST = "hours"


def build_charts(part: Part) -> None:
    """One choice of time for all of them."""
    console = part.console
    with gr.Row(elem_classes="fb-bar"):
        view = gr.Radio(part.choices("views", VIEWS), value=_FIRST, label=part.say("view"), scale=3)
        refresh = part.refresh()
    head = html_block()
    timelines = [_line_plot(part, name) for name in ("predictions", "credits", "requests", "times")]
    periods_said = html_block()
    bar_plots = {name: _bar_plot(part, name) for name in ("latency", "models", "accounts")}

    async def show(view: str, request: gr.Request) -> list[Any]:
        server = console.of(request)
        since = VIEWS[view].since(datetime.now(UTC))
        asked = {name: f"/accounts/v1/reports/{name}" for name in ("latency", "models")}
        timeline, latency, models, accounts = await asyncio.gather(
            server.get("/accounts/v1/reports/timeline", by=VIEWS[view].step, since=since),
            *(server.get(path, since=since) for path in asked.values()),
            server.get("/accounts/v1/reports/accounts", since=since, top=_TOP),
        )
        emails = await fetch_emails(server, [each["account_id"] for each in accounts["accounts"]])
        return [
            part.render("charts_head", report=timeline),
            *_draw_timeline(part, timeline, VIEWS[view]),
            *_draw_latency(part, latency),
            *_draw_models(part, models),
            *_draw_accounts(part, accounts, emails),
        ]

    outputs: list[Any] = [head]
    for plot, said in timelines:
        outputs += [plot, said]
    outputs.append(periods_said)
    for bars, said in bar_plots.values():
        outputs += [bars, said]
    part.shown_by(show, view, outputs, view.change, refresh.click)


def _line_plot(part: Part, name: str) -> tuple[gr.LinePlot, gr.HTML]:
    html_block(part.render("heading", said=part.say(f"chart_{name}")))
    plot = gr.LinePlot(
        x="x",
        y="y",
        color="line",
        color_map=dict(zip(_lines(part, name).values(), _COLOURS, strict=False)),
        x_title=part.say("axis_time"),
        y_title=part.say(f"axis_{name}"),
        color_title=" ",
        height=_HEIGHT,
        show_label=False,
        tooltip="all",
        elem_classes="fb-chart",
    )
    return plot, html_block()


def _bar_plot(part: Part, name: str) -> tuple[gr.BarPlot, gr.HTML]:
    html_block(part.render("heading", said=part.say(f"chart_{name}")))
    plot = gr.BarPlot(
        x="x",
        y="y",
        color="line",
        color_map={part.say(f"bar_{name}"): _COLOURS[0]},
        x_title=part.say(f"axis_{name}_x"),
        y_title=part.say(f"bar_{name}"),
        color_title=" ",
        x_label_angle=0 if name == "accounts" else -30,
        sort=LABELS if name == "latency" else None,
        height=_HEIGHT,
        show_label=False,
        elem_classes="fb-chart",
    )
    return plot, html_block()


def _lines(part: Part, name: str) -> dict[str, str]:
    keys: dict[str, Sequence[str]] = {
        "predictions": ("predictions",),
        "credits": ("charged", "refunded"),
        "requests": OUTCOMES,
        "times": QUANTILES,
    }
    return {key: part.say(f"line_{key}") for key in keys[name]}


def _frame(points: Sequence[Point]) -> pd.DataFrame:
    return pd.DataFrame(points, columns=["x", "line", "y"])


def _bars(part: Part, name: str, values: Sequence[tuple[str, float]]) -> pd.DataFrame:
    shown = part.say(f"bar_{name}")
    return pd.DataFrame([(x, shown, y) for x, y in values], columns=["x", "line", "y"])


def _draw_timeline(part: Part, report: dict[str, Any], view: View) -> list[Any]:
    step = view.step
    periods = fill_gaps(report, step)
    known = step != "minute"
    points = {
        "predictions": count_predictions(periods, part.say("line_predictions")),
        "credits": draw_credits(periods, _lines(part, "credits")),
        "requests": draw_requests(periods, _lines(part, "requests")),
        "times": draw_latency(periods, _lines(part, "times")),
    }
    told = {
        "periods": periods,
        "known": known,
        "busiest": find_busiest(periods),
        "slowest": find_slowest(periods),
        **add_credits(periods),
    }
    drawn: list[Any] = []
    for name, each in points.items():
        # One point makes no line: the sentence says it all.
        is_line = len({moment for moment, _, _ in each}) > 1
        form = _axis_form(view)
        plot = gr.LinePlot(value=_frame(each), visible=is_line, x_axis_format=form)
        drawn += [plot, part.render("charts_sentence", name=name, **told)]
    happened = [each for each in periods if each["requests"]["total"] or each["predictions"]]
    return [*drawn, part.render("charts_periods", periods=happened, step=step)]


def _axis_form(view: View) -> str:
    """Vega's own would be in English."""
    if view.hours <= _CLOCK_HOURS:
        return "%H:%M"
    return "%d.%m" if view.step == "day" else "%d.%m %H:%M"


def _draw_latency(part: Part, report: dict[str, Any]) -> list[Any]:
    bars = merge_buckets(report["buckets"])
    plot = gr.BarPlot(value=_bars(part, "latency", bars), visible=bool(bars))
    return [plot, part.render("charts_latency", latency=report["latency"], bars=bars)]


def _draw_models(part: Part, report: dict[str, Any]) -> list[Any]:
    models = report["models"]
    bars = [(f"{each['model']} {each['version']}", float(each["revenue"])) for each in models]
    plot = gr.BarPlot(value=_bars(part, "models", bars), visible=bool(bars))
    return [plot, part.render("charts_models", models=models)]


def _draw_accounts(part: Part, report: dict[str, Any], emails: dict[str, str]) -> list[Any]:
    accounts = [{**each, "email": emails.get(each["account_id"])} for each in report["accounts"]]
    bars = [(str(rank), float(each["charged"])) for rank, each in enumerate(accounts, 1)]
    plot = gr.BarPlot(value=_bars(part, "accounts", bars), visible=bool(bars))
    return [plot, part.render("charts_accounts", accounts=accounts)]
