"""The layout of the page, and what happens when it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any

import gradio as gr

from frontend.attempts import Attempt
from frontend.examples import load_examples
from frontend.html import html_block
from frontend.model_cards import fetch_priced, find_model
from frontend.pages.check.picking import lay_out_picker
from frontend.pages.check.scoring import check, show_price
from frontend.pages.frame import Page
from frontend.server import ServerError


def build_check(page: Page) -> None:
    """Choose on the left, read on the right; one below the other on a narrow screen."""
    console, t = page.console, page.console.texts
    html_block(console.templates.render("check_intro.html"))
    attempt = gr.State(None)
    with gr.Row(elem_classes="fb-halves"):
        with gr.Column(min_width=320):
            picker = lay_out_picker(console)
        with gr.Column(min_width=320):
            model = gr.Dropdown(choices=[], label=t("check", "model"), filterable=False)
            price = html_block()
            button = gr.Button(t("check", "check"), variant="primary")
            outcome = html_block()
    picker.wire()

    async def open_page(request: gr.Request) -> tuple[Any, ...]:
        return await _open(page, request)

    async def price_of(model_id: str | None, request: gr.Request) -> Any:  # noqa: ANN401
        if not model_id:
            return gr.skip()
        try:
            return await show_price(console, model_id, request)
        except ServerError as error:
            return console.show_fault(console.say(error))

    async def names_of(model_id: str, request: gr.Request) -> tuple[Any, Any]:
        card = find_model(await fetch_priced(console.of(request)), model_id)
        if card is None:
            return gr.skip(), gr.skip()
        return card.features, gr.Dropdown(choices=list(card.features))

    async def run(
        chosen: list[str], model_id: str, earlier: Attempt | None, request: gr.Request
    ) -> AsyncIterator[tuple[Any, Any]]:
        async for shown in check(console, chosen, model_id, earlier, request):
            yield shown

    filled = [model, picker.names, picker.chosen, picker.example, price]
    opened = page.on_load(open_page, None, filled)
    console.on(opened.then, price_of, model, price, show_progress="hidden")
    console.on(
        opened.then,
        picker.find,
        [picker.search, picker.group, picker.chosen, picker.names],
        [picker.found, picker.found_note],
        show_progress="hidden",
    )
    console.on(model.input, names_of, model, [picker.names, picker.chosen])
    console.on(model.input, price_of, model, price)
    checked = console.on(button.click, run, [picker.chosen, model, attempt], [outcome, attempt])
    page.then_show_balance(checked)
    console.on(checked.then, price_of, model, price, show_progress="hidden")


async def _open(page: Page, request: gr.Request) -> tuple[Any, ...]:
    """The models, what the example of the address asks for, and why there is nothing."""
    console = page.console
    try:
        cards = await fetch_priced(console.of(request))
    except ServerError as error:
        return *(gr.skip() for _ in range(4)), console.show_fault(console.say(error))
    if not cards:
        return *(gr.skip() for _ in range(4)), console.show_fault(
            console.texts("many", "no_models")
        )
    names = cards[0].features
    wanted = request.query_params.get("example")
    chosen = _features_of(page, wanted, names)
    choices = [(_title(page, each.id, each.price), each.id) for each in cards]
    return (
        gr.Dropdown(choices=choices, value=cards[0].id),
        names,
        gr.Dropdown(choices=list(names), value=chosen),
        gr.Radio(value=wanted if chosen else None),
        "",
    )


def _features_of(page: Page, example_id: str | None, names: Collection[str]) -> list[str]:
    """Those of an example that the model knows; none where no example is asked for."""
    examples = load_examples(page.console.language)
    asked = next((each.features for each in examples if each.id == example_id), ())
    return [name for name in asked if name in names]


def _title(page: Page, model_id: str, price: str | None) -> str:
    assert price is not None  # fetch_priced leaves out what has none
    return f"{model_id} \N{MIDDLE DOT} {page.console.templates.show_credits(price)}"
