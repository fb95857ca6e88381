"""Welcome: what this is, sign up, sign in, the price list, an example to try."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import gradio as gr

from frontend.examples import load_examples
from frontend.html import html_block
from frontend.pages.frame import Page
from frontend.prices import show_price
from frontend.server import ServerError

_PASSWORD_CHARACTERS_MIN = 10
"""As the API asks, which has the last word."""


def build_welcome(page: Page) -> None:
    """The page of those who are not signed in, and the first one of those who are."""
    console = page.console
    example = load_examples(console.language)[0]

    def enter(me: object) -> str:
        return console.templates.render("welcome_entry.html", me=me, least=_PASSWORD_CHARACTERS_MIN)

    async def show(request: gr.Request) -> tuple[Any, str]:
        me, terms, models = await asyncio.gather(
            _me(request), _known("/accounts/v1/terms"), _known("/v1/models")
        )
        rows = models["models"] if models else None
        offer = console.templates.render(
            "welcome_offer.html",
            me=me,
            terms=terms,
            rows=rows,
            example=example,
            price=partial(show_price, language=console.language),
        )
        return (enter(me) if me else gr.skip()), offer

    async def _me(request: gr.Request) -> Any:  # noqa: ANN401 - JSON
        try:
            return await console.of(request).get("/accounts/v1/me")
        except ServerError:
            return None

    async def _known(path: str) -> Any:  # noqa: ANN401 - JSON
        try:
            return await console.server.get(path)
        except ServerError:
            return None

    async def say_deleted(request: gr.Request) -> Any:  # noqa: ANN401 - HTML, or Gradio's skip
        deleted = "deleted" in request.query_params
        return console.templates.render("account_gone.html") if deleted else gr.skip()

    gone = html_block()
    page.on_load(say_deleted, None, gone, show_progress="hidden")
    entry = html_block(enter(None))
    offer = html_block()
    page.on_load(show, None, [entry, offer], show_progress="hidden")
