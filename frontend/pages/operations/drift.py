"""Drift: how far what models score has moved from what they were trained on."""

from __future__ import annotations

from datetime import date, timedelta

import gradio as gr

from frontend.html import html_block
from frontend.pages.operations.part import Part

_DAYS = ("1", "7", "30")


def build_drift(part: Part) -> None:
    """Each model version in a card."""
    with gr.Row(elem_classes="fb-bar"):
        days = gr.Radio(
            part.choices("drift_days", _DAYS), value=_DAYS[0], label=part.say("span"), scale=3
        )
        refresh = part.refresh()
    shown = html_block()

    async def show(days: str, request: gr.Request) -> str:
        server = part.console.of(request)
        report = await server.get("/accounts/v1/reports/drift", days=days)
        last = date.fromisoformat(report["until"]) - timedelta(days=1)
        return part.render(
            "drift", report=report, last=str(last), describe=part.console.features.describe
        )

    part.shown_by(show, days, shown, days.change, refresh.click)
