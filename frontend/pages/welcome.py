"""Welcome: what this is, sign up, sign in, the price list, an example to try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Any

import gradio as gr

from frontend.examples import load_examples
from frontend.html import html_block
from frontend.model_cards import fetch_models
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
        me, terms, cards = await asyncio.gather(
            _known(_me(request)),
            _known(console.server.get("/accounts/v1/terms")),
            _known(fetch_models(console.server)),
        )
        offer = console.templates.render(
            "welcome_offer.html",
            me=me,
            terms=terms,
            cards=cards,
            example=example,
            price=partial(show_price, language=console.language),
        )
        return (enter(me) if me else gr.skip()), offer

    async def _me(request: gr.Request) -> Any:  # noqa: ANN401 - JSON
        return await console.of(request).get("/accounts/v1/me")

    async def say_deleted(request: gr.Request) -> Any:  # noqa: ANN401 - HTML, or Gradio's skip
        deleted = "deleted" in request.query_params
        return console.templates.render("account_gone.html") if deleted else gr.skip()

    gone = html_block()
    page.on_load(say_deleted, None, gone, show_progress="hidden")
    entry = html_block(enter(None))
    offer = html_block()
    page.on_load(show, None, [entry, offer], show_progress="hidden")


async def _known(asked: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever is asked
    """None where the server does not say: the page does without."""
    try:
        return await asked
    except ServerError:
        return None
