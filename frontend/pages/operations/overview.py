"""The overview: what happened in the last day, week or month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import gradio as gr

from frontend.context import Console
from frontend.html import html_block
from frontend.pages.operations.figures import Figures
from frontend.pages.operations.part import Part
from frontend.pages.operations.timeline import SPANS

_EVERY_SECONDS = 15
_FIRST = "day"


def build_overview(part: Part) -> gr.HTML:
    """The component that shows it: opening the page fills it first."""
    console = part.console
    with gr.Row(elem_classes="fb-bar"):
        span = gr.Radio(part.choices("spans", SPANS), value=_FIRST, label=part.say("span"), scale=3)
        auto = gr.Checkbox(label=part.say("auto", seconds=_EVERY_SECONDS), scale=1, min_width=200)
        refresh = part.refresh()
    shown = html_block()
    timer = gr.Timer(_EVERY_SECONDS, active=False)

    async def show(span: str, request: gr.Request) -> str:
        return await fetch_overview(console, part.figures, request, span)

    async def switch(on: bool) -> gr.Timer:
        return gr.Timer(active=on)

    for trigger in (span.change, refresh.click):
        console.on(trigger, show, span, shown)
    console.on(timer.tick, show, span, shown, show_progress="hidden")
    console.on(auto.change, switch, auto, timer, show_progress="hidden")
    return shown


async def fetch_overview(
    console: Console, figures: Figures, request: gr.Request, span: str = _FIRST
) -> str:
    """HTML of the summary."""
    since = datetime.now(UTC) - timedelta(hours=SPANS[span])
    server = console.of(request)
    summary = await server.get("/accounts/v1/reports/summary", since=since.isoformat())
    refusals = sorted(summary["refusals"].items(), key=lambda each: -each[1])
    meanings = console.texts.section("operations")["refusals"]
    return console.templates.render(
        "operations_overview.html",
        summary=summary,
        refusals=[(code, count, meanings.get(code)) for code, count in refusals],
        f=figures,
    )
