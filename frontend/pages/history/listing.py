"""Predictions of the account, newest first, narrowed by a form and told page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import gradio as gr

from frontend.context import Console
from frontend.html import html_block
from frontend.links import link
from frontend.pages.frame import Page
from frontend.pages.history.filters import HistoryFilter, read_filter
from frontend.pages.history.names import fetch_key_names, show_key
from frontend.pages.history.view import View, find_view, read_query
from frontend.server import Problem, Server, ServerError

_ROWS = 25
_CHOICES_DAYS = 365
"""Models used within so long can be chosen in the form."""


def build_listing(page: Page) -> None:
    """The form and the table: links and a plain form, so all of it stands in the address."""
    console = page.console

    async def show(request: gr.Request) -> Any:  # noqa: ANN401 - HTML or Gradio's skip
        query = read_query(request)
        if find_view(query) is not View.LISTING:
            return gr.skip()
        try:
            return await _render(console, console.of(request), query)
        except ServerError as error:
            return console.show_fault(console.say(error))

    page.on_load(show, None, html_block())


async def _render(console: Console, server: Server, query: Mapping[str, str]) -> str:
    read = read_filter(query)
    rows, names, used = await asyncio.gather(
        _fetch_rows(server, read.wanted, query.get("cursor")),
        fetch_key_names(console, server),
        _fetch_used(server),
    )
    path = console.path("history")
    filters = read.wanted.as_query()
    exports = {
        form: link("/download/export/predictions", {"format": form}, read.wanted.as_parameters())
        for form in ("csv", "parquet")
    }
    return console.templates.render(
        "history_listing.html",
        path=path,
        wanted=read.wanted,
        faults=read.faults,
        rows=rows["items"] if rows else None,
        newest=link(path, filters),
        older=link(path, filters, {"cursor": rows["next_cursor"]})
        if rows and rows["next_cursor"]
        else None,
        is_first=not query.get("cursor"),
        exports=exports,
        models=_choices((each["model"] for each in used), read.wanted.model),
        versions=_choices((each["version"] for each in used), read.wanted.version),
        keys=_key_choices(names, read.wanted.key),
        key_name=lambda key_id: show_key(names, key_id),
    )


async def _fetch_rows(server: Server, wanted: HistoryFilter, cursor: str | None) -> Any:  # noqa: ANN401 - JSON
    """A page of the list; None where the cursor of the address leads nowhere."""
    try:
        return await server.get(
            "/accounts/v1/predictions", **wanted.as_parameters(), limit=_ROWS, cursor=cursor
        )
    except Problem:
        if cursor:
            return None
        raise


async def _fetch_used(server: Server) -> list[dict[str, Any]]:
    since = (datetime.now(UTC) - timedelta(days=_CHOICES_DAYS)).isoformat()
    try:
        usage = await server.get(
            "/accounts/v1/usage", by="month", group="model,version", since=since
        )
    except Problem:
        return []
    rows: list[dict[str, Any]] = usage["rows"]
    return rows


def _choices(used: Iterable[str], chosen: str) -> dict[str, str]:
    """What is chosen stays a choice, used or not."""
    return {each: each for each in sorted({*used, *([chosen] if chosen else [])})}


def _key_choices(names: Mapping[str, str], chosen: str) -> dict[str, str]:
    return dict(names) | ({chosen: show_key(names, chosen)} if chosen else {})
