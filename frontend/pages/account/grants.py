"""Grants: where the credits came from, what is left of each, and what expires."""

from __future__ import annotations

from datetime import UTC, datetime

import gradio as gr

from frontend.days import is_within
from frontend.html import html_block
from frontend.pages.account.parts import REFUSALS, Section

_GRANTS_MAX = 200
"""Shown; the API has them all."""

_SOON_DAYS = 7


def build_grants(section: Section, tab: gr.Tab) -> None:
    """A table, read when the tab is opened or the page is."""
    rows = html_block()

    async def show(request: gr.Request) -> str:
        try:
            grants, more = await section.console.of(request).pages(
                "/accounts/v1/grants", _GRANTS_MAX
            )
        except REFUSALS as error:
            return section.refused(error)
        now = datetime.now(UTC)
        soon = {each["id"] for each in grants if is_within(each["expires_at"], _SOON_DAYS, now)}
        return section.render("grants", grants=grants, soon=soon, more=more, now=now.isoformat())

    section.page.on_load(show, None, rows, show_progress="hidden")
    section.console.on(tab.select, show, None, rows, show_progress="hidden")
