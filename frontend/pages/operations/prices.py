"""Prices: in effect, coming, and the form of admins that sets one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import gradio as gr

from frontend.html import html_block
from frontend.pages.operations.actions import Action
from frontend.pages.operations.forms import FormFault, read_amount, read_moment
from frontend.pages.operations.part import AdminGate, Part
from frontend.pages.operations.two_steps import TwoSteps
from frontend.server import Server

_OPERATIONS = ("predict", "explain")
_PATH = "/accounts/v1/prices"


def build_prices(part: Part) -> None:
    """Everybody may read prices; the form is shown to admins."""
    console = part.console
    refresh = part.refresh()
    listed = html_block()
    gate = AdminGate(part)
    with gate.column:
        html_block(part.render("heading", said=part.say("set_price")))
        with gr.Row():
            model = gr.Dropdown([], label=part.say("model"))
            version = gr.Textbox(label=part.say("version"), info=part.say("version_info"))
            operation = gr.Radio(
                part.choices("price_operations", _OPERATIONS),
                value=_OPERATIONS[0],
                label=part.say("price_of"),
            )
        with gr.Row():
            amount = gr.Textbox(label=part.say("price_amount"), info=part.say("price_amount_info"))
            since = gr.Textbox(label=part.say("price_since"), info=part.say("price_since_info"))
        following = gr.Button(part.say("next"), variant="primary", scale=0, min_width=180)
        steps = TwoSteps(part, _teller(part))

    async def read(request: gr.Request) -> tuple[str, list[str]]:
        prices = await console.of(request).get(_PATH)
        names = sorted({each["model"] for each in prices["in_effect"]})
        return part.render("prices", prices=prices), names

    async def show(request: gr.Request) -> list[Any]:
        shown, names = await read(request)
        _, judged = await gate.judge(console.of(request))
        return [shown, gr.Dropdown(choices=names), *judged]

    async def show_list(request: gr.Request) -> str:
        return (await read(request))[0]

    async def prepare(_request: gr.Request, *typed: Any) -> Action:  # noqa: ANN401
        body = _read(_Form(*typed))
        return Action("POST", _PATH, body, part.render("price_question", body=body))

    steps.wire(following.click, prepare, [model, version, operation, amount, since])
    part.shown_by(show, None, [listed, model, *gate.outputs], refresh.click)
    console.on(steps.done(amount, since).then, show_list, None, listed, show_progress="hidden")


class _Form(NamedTuple):
    """What was typed, in the order of the components."""

    model: str | None
    version: str | None
    operation: str
    amount: str | None
    since: str | None


def _read(form: _Form) -> dict[str, Any]:
    if not form.model:
        raise FormFault("model_missing")
    body: dict[str, Any] = {
        "model": form.model,
        "operation": form.operation,
        "amount": read_amount(form.amount, zero=True),
    }
    if version := (form.version or "").strip():
        body["version"] = version
    if moment := read_moment(form.since, datetime.now(UTC)):
        body["effective_from"] = moment
    return body


def _teller(part: Part) -> Any:  # noqa: ANN401 - a Tell
    async def tell(_server: Server, _action: Action, answer: dict[str, Any]) -> str:
        return part.render("price_done", price=answer)

    return tell
