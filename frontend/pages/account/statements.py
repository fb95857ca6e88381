"""Statements: a month's sums, from its opening to its closing balance."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.days import show_month
from frontend.html import html_block
from frontend.pages.account.parts import REFUSALS, Section

_MONTHS_MAX = 240


def build_statements(section: Section, tab: gr.Tab) -> None:
    """The newest month first; another is chosen above it."""
    console = section.console
    html_block(section.heading("statements"))
    month = gr.Dropdown(label=section.say("month"), choices=[], elem_id="fb-month")
    shown = html_block()

    async def read(chosen: str, request: gr.Request) -> str:
        statement = await console.of(request).get(f"/accounts/v1/statements/{chosen}")
        return section.render("statement", statement=statement)

    async def show(chosen: str | None, request: gr.Request) -> str:
        try:
            return await read(chosen, request) if chosen else section.render("no_statement")
        except REFUSALS as error:
            return section.refused(error)

    async def open_tab(chosen: str | None, request: gr.Request) -> tuple[Any, str]:
        try:
            months, _ = await console.of(request).pages("/accounts/v1/statements", _MONTHS_MAX)
        except REFUSALS as error:
            return gr.skip(), section.refused(error)
        names = [each["month"] for each in months]
        value = chosen if chosen in names else next(iter(names), None)
        choices = [(show_month(each, console.language), each) for each in names]
        return gr.Dropdown(choices=choices, value=value), await show(value, request)

    console.on(tab.select, open_tab, month, [month, shown], show_progress="hidden")
    console.on(month.input, show, month, shown, show_progress="minimal")
