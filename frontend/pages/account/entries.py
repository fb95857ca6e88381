"""Entries: every movement of credits, filtered, page by page, and as a file."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.days import NotADay
from frontend.html import html_block
from frontend.model_cards import fetch_models
from frontend.pages.account.entry_filters import KINDS, Filters, export_link, read_filters
from frontend.pages.account.parts import REFUSALS, Mistake, Section, date_box
from frontend.server import ServerError

_ROWS = 25
_CHOICES_MAX = 200
"""Keys offered in the filter."""


def build_entries(section: Section, tab: gr.Tab) -> None:
    """The newest first, as the filters have them when `Show` is pressed."""
    Entries(section).wire(tab)


class Entries:
    """The section's components, and what happens to them."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.console = section.console
        say = section.say
        html_block(section.heading("entries"))
        self.place = gr.State()
        """The filters that are shown, and the cursor behind the last row."""
        with gr.Accordion(say("filters"), open=False):
            self.kinds = gr.Dropdown(
                label=say("kind"),
                choices=[(say(f"kind_{kind}"), kind) for kind in KINDS],
                multiselect=True,
                elem_id="fb-kinds",
            )
            with gr.Row():
                self.first_day = date_box(say("first_day"), say("days_utc"))
                self.last_day = date_box(say("last_day"), say("last_day_within"))
            with gr.Row():
                self.model, self.version, self.key = (
                    gr.Dropdown(label=say(name), choices=[], allow_custom_value=True, min_width=220)
                    for name in ("model", "version", "key")
                )
            with gr.Row():
                self.show = gr.Button(say("show"), variant="primary", elem_id="fb-show")
                self.reset = gr.Button(say("reset"), elem_id="fb-reset")
        self.said = html_block()
        self.rows = html_block()
        with gr.Row():
            self.newest, self.older = (
                gr.Button(
                    say(name), visible=False, elem_id=f"fb-{name}", elem_classes=["fb-narrow"]
                )
                for name in ("newest", "older")
            )

    @property
    def filters(self) -> list[Any]:
        """Components, in the order of `read_filters`."""
        return [self.kinds, self.first_day, self.last_day, self.model, self.version, self.key]

    def wire(self, tab: gr.Tab) -> None:
        """Events of the section."""
        shown = [self.place, self.said, self.rows, self.newest, self.older]
        click = self.section.click
        self.console.on(
            tab.select,
            self._choices,
            None,
            [self.model, self.version, self.key],
            show_progress="hidden",
        )
        self.console.on(tab.select, self._again, self.place, shown, show_progress="hidden")
        click(self.show, self._filter, [self.place, *self.filters], shown)
        click(self.reset, self._reset, None, [*self.filters, *shown])
        click(self.older, self._older, self.place, shown, then_focus="fb-entries")
        click(self.newest, self._again, self.place, shown, then_focus="fb-entries")

    async def _choices(self, request: gr.Request) -> tuple[Any, ...]:
        server = self.console.of(request)
        try:
            models = await fetch_models(server)
            keys, _ = await server.pages("/accounts/v1/keys", _CHOICES_MAX)
        except ServerError:
            return gr.skip(), gr.skip(), gr.skip()
        names = sorted({each.name for each in models})
        versions = sorted({each.version for each in models})
        named = [(f"{each['name']} ({each['id']})", each["id"]) for each in keys]
        return (
            gr.Dropdown(choices=names),
            gr.Dropdown(choices=versions),
            gr.Dropdown(choices=named),
        )

    async def _filter(  # noqa: PLR0917 - the form's fields
        self,
        place: dict[str, Any] | None,
        kinds: list[str],
        first_day: str,
        last_day: str,
        model: str | None,
        version: str | None,
        key: str | None,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        try:
            filters = read_filters(kinds, first_day, last_day, model, version, key)
        except NotADay as error:
            mistake = Mistake(self.section.say("not_a_day", day=error.args[0]))
            return place, self.section.refused(mistake), gr.skip(), gr.skip(), gr.skip()
        return await self._page({"filters": filters, "cursor": None}, request)

    async def _reset(self, request: gr.Request) -> tuple[Any, ...]:
        shown = await self._page({"filters": {}, "cursor": None}, request)
        return ([], "", "", None, None, None, *shown)

    async def _again(self, place: dict[str, Any] | None, request: gr.Request) -> tuple[Any, ...]:
        filters = place["filters"] if place else {}
        return await self._page({"filters": filters, "cursor": None}, request)

    async def _older(self, place: dict[str, Any], request: gr.Request) -> tuple[Any, ...]:
        return await self._page(place, request)

    async def _page(self, place: dict[str, Any], request: gr.Request) -> tuple[Any, ...]:
        """The page at `place`; an answer of `place`, what is said, rows and the two buttons."""
        filters: Filters = place["filters"]
        try:
            found = await self.console.of(request).get(
                "/accounts/v1/entries", **filters, limit=_ROWS, cursor=place["cursor"]
            )
        except REFUSALS as error:
            return place, self.section.refused(error), gr.skip(), gr.skip(), gr.skip()
        rows = self.section.render(
            "entries",
            entries=found["items"],
            filtered=bool(filters),
            csv=export_link(filters, "csv"),
            parquet=export_link(filters, "parquet"),
        )
        cursor = found["next_cursor"]
        return (
            {"filters": filters, "cursor": cursor},
            "",
            rows,
            gr.Button(visible=place["cursor"] is not None),
            gr.Button(visible=cursor is not None),
        )
