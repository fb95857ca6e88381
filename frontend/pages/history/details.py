"""One prediction: what was asked and answered, why, and what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import gradio as gr

from frontend.context import Console
from frontend.explanations import render_reasons, show_label
from frontend.html import html_block
from frontend.model_cards import ModelCard, fetch_models, find_model, model_id
from frontend.pages.frame import Page
from frontend.pages.history.instances import (
    INSTANCES_SHOWN_MAX,
    can_be_explained,
    read_instance,
    read_number,
    read_prediction_id,
)
from frontend.pages.history.names import fetch_key_names, show_key
from frontend.pages.history.refunds import build_refunds
from frontend.pages.history.view import View, find_view, read_query
from frontend.server import Problem, Server, ServerError

_MISSING = frozenset({404, 422})
_WHY_SAID = {
    "answer_expired": "why_expired",
    "explanation_unsupported": "why_unsupported",
    "too_many_attempts": "why_too_many",
    "route_not_found": "why_not_offered",
    "version_retired": "why_retired",
    "model_not_found": "why_retired",
    "version_not_found": "why_retired",
}
"""Names of the texts that say why there are no reasons, by the problem's code."""


def build_details(page: Page) -> None:
    """The facts, a button that asks why, and the form for a refund."""
    console = page.console
    texts = console.texts.section("history")

    async def show(request: gr.Request) -> tuple[Any, Any]:
        query = read_query(request)
        if find_view(query) is not View.DETAILS:
            return gr.skip(), gr.skip()
        try:
            return await read(console.of(request), query)
        except ServerError as error:
            return console.show_fault(console.say(error)), gr.skip()

    async def read(server: Server, query: Mapping[str, str]) -> tuple[Any, Any]:
        detail = await fetch_detail(server, query)
        if detail is None:
            missing = console.templates.render(
                "history_missing.html", path=console.path("history"), asked=query["prediction"]
            )
            return missing, gr.skip()
        cards, names = await asyncio.gather(_fetch_cards(server), fetch_key_names(console, server))
        card = find_model(cards, model_id(detail["model"], detail["version"]))
        has_why = bool(detail["predictions"]) and can_be_explained(card)
        return _render(console, detail, card, names, query), gr.update(visible=has_why)

    async def explain(request: gr.Request) -> str:
        return await _render_why(console, console.of(request), read_query(request))

    facts = html_block()
    with gr.Column(visible=False) as why:
        ask = gr.Button(texts["why"], variant="primary", elem_id="fb-why")
        reasons = html_block()
    page.on_load(show, None, [facts, why])
    console.on(ask.click, explain, None, reasons)
    build_refunds(page)


async def fetch_detail(server: Server, query: Mapping[str, str]) -> dict[str, Any] | None:
    """The prediction that the address names; None where the account has no such one."""
    prediction_id = read_prediction_id(query["prediction"])
    if prediction_id is None:
        return None
    try:
        detail: dict[str, Any] = await server.get(f"/accounts/v1/predictions/{prediction_id}")
    except Problem as problem:
        if problem.status in _MISSING:
            return None
        raise
    return detail


async def _fetch_cards(server: Server) -> list[ModelCard]:
    """Of all models; none where they cannot be read: the page does without."""
    try:
        return await fetch_models(server)
    except Problem:
        return []


def _render(
    console: Console,
    detail: Mapping[str, Any],
    card: ModelCard | None,
    names: Mapping[str, str],
    query: Mapping[str, str],
) -> str:
    count = len(detail["predictions"] or [])
    number = read_number(query.get("instance", ""), count) if count else 0
    shown = range(1, min(count, INSTANCES_SHOWN_MAX) + 1)
    instances = [read_instance(detail, each, card, console.features) for each in shown]
    return console.templates.render(
        "history_details.html",
        path=console.path("history"),
        detail=detail,
        card=card,
        key_name=show_key(names, detail["key_id"]),
        count=count,
        instances=instances if count > 1 else [],
        chosen=read_instance(detail, number, card, console.features) if count else None,
        unexplained=bool(count) and not can_be_explained(card),
        label=lambda name: show_label(console.texts, name),
    )


async def _render_why(console: Console, server: Server, query: Mapping[str, str]) -> str:
    """The reasons for the instance of the address, or why there are none."""
    detail = await fetch_detail(server, query)
    if detail is None or not detail["predictions"]:
        return _say(console, "why_expired")
    number = read_number(query.get("instance", ""), len(detail["predictions"]))
    try:
        answer = await server.get(
            f"/v1/predictions/{detail['id']}/explanation", instance=str(number - 1)
        )
    except Problem as problem:
        return _say(console, _WHY_SAID.get(problem.code, "why_failed"), problem)
    card = find_model(await _fetch_cards(server), model_id(detail["model"], detail["version"]))
    return render_reasons(console, answer["prediction"], card)


def _say(console: Console, name: str, problem: Problem | None = None) -> str:
    seconds = problem.retry_after_seconds if problem else None
    return console.templates.render("history_no_reasons.html", name=name, seconds=seconds)
