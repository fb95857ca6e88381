"""Reconciliation: whether the ledger was as it must be when it was last checked."""

from __future__ import annotations

import gradio as gr

from frontend.html import html_block
from frontend.pages.operations.lookups import fetch_if_there
from frontend.pages.operations.part import Part


def build_reconciliation(part: Part) -> None:
    """The last verdict in full, those before in a table."""
    refresh = part.refresh()
    shown = html_block()

    async def show(request: gr.Request) -> str:
        server = part.console.of(request)
        report = await fetch_if_there(server, "/accounts/v1/reports/reconciliation")
        if report is None:
            return part.render("note", said=part.say("route_missing"))
        return part.render("reconciliation", report=report)

    part.shown_by(show, None, shown, refresh.click)
