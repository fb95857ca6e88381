"""Lays out all parts, and shows the one that the address names."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.frame import Page
from frontend.pages.history.details import build_details
from frontend.pages.history.listing import build_listing
from frontend.pages.history.usage import build_usage
from frontend.pages.history.view import View, find_view, read_query

_BUILDERS = {
    View.LISTING: build_listing,
    View.DETAILS: build_details,
    View.USAGE: build_usage,
}


def build_history(page: Page) -> None:
    """Lay out all parts; the one that the address names is seen, and fills itself."""

    def render_head(view: View | None) -> str:
        return page.console.templates.render("history_head.html", view=view)

    async def show(request: gr.Request) -> list[Any]:
        view = find_view(read_query(request))
        return [render_head(view), *(gr.update(visible=each is view) for each in columns)]

    head = html_block(render_head(None))
    columns: dict[View, gr.Column] = {}
    for view in _BUILDERS:
        columns[view] = gr.Column(visible=False)
    page.on_load(show, None, [head, *columns.values()], show_progress="hidden")
    for view, build in _BUILDERS.items():
        with columns[view]:
            build(page)
