"""Lays out a tab for each thing, and tells whoever the API refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.frame import Page
from frontend.pages.operations.audit import build_audit
from frontend.pages.operations.charts import build_charts
from frontend.pages.operations.drift import build_drift
from frontend.pages.operations.figures import Figures
from frontend.pages.operations.money import build_money
from frontend.pages.operations.overview import build_overview, fetch_overview
from frontend.pages.operations.part import Part
from frontend.pages.operations.prices import build_prices
from frontend.pages.operations.reconciliation import build_reconciliation
from frontend.pages.operations.refund_requests import build_refund_requests
from frontend.pages.operations.roles import build_roles
from frontend.pages.operations.serving import build_serving
from frontend.server import Problem, Unreachable

_FORBIDDEN = 403

_PARTS: dict[str, Callable[[Part], None]] = {
    "charts": build_charts,
    "serving": build_serving,
    "drift": build_drift,
    "reconciliation": build_reconciliation,
    "refund_requests": build_refund_requests,
    "money": build_money,
    "prices": build_prices,
    "roles": build_roles,
    "audit": build_audit,
}
"""Of each tab behind the overview: what is in it is fetched when it is opened."""


def build_operations(page: Page) -> None:
    """Nothing but one sentence for whoever is refused by the API."""
    console = page.console
    figures = Figures(console.language)

    def gate(state: str, said: str = "") -> str:
        return console.templates.render("operations_gate.html", state=state, said=said)

    async def enter(request: gr.Request) -> tuple[Any, Any, Any]:
        try:
            overview = await fetch_overview(console, figures, request)
        except Problem as problem:
            state = "refused" if problem.status == _FORBIDDEN else "failed"
            return gate(state, console.say(problem)), gr.Column(visible=False), ""
        except Unreachable as error:
            return gate("failed", console.say(error)), gr.Column(visible=False), ""
        return gate("open"), gr.Column(visible=True), overview

    head = html_block(gate("opening"))
    with gr.Column(visible=False) as content, gr.Tabs(elem_classes="fb-tabs"):
        with gr.Tab(console.texts("operations", "overview")) as tab:
            overview = build_overview(Part(page, tab, figures))
        for name, build in _PARTS.items():
            with gr.Tab(console.texts("operations", name)) as tab:
                build(Part(page, tab, figures))
    page.on_load(enter, None, [head, content, overview])
