"""What was given back of a prediction, what was asked for, and the form to ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import gradio as gr

from frontend.attempts import Attempt, attempt_of
from frontend.context import Console
from frontend.html import html_block
from frontend.pages.frame import Page
from frontend.pages.history.instances import read_prediction_id
from frontend.pages.history.view import View, find_view, read_query
from frontend.server import Problem, Server

_REQUESTS_MAX = 500
_REASON_CHARACTERS_MAX = 500
"""As the API takes it."""


def build_refunds(page: Page) -> None:
    """Loads by itself; the form is shown while there is something to ask for."""
    console = page.console
    texts = console.texts.section("history")
    title = console.texts("frame", "title")

    async def show(request: gr.Request) -> tuple[Any, Any]:
        query = read_query(request)
        prediction_id = read_prediction_id(query.get("prediction", ""))
        if find_view(query) is not View.DETAILS or prediction_id is None:
            return gr.skip(), gr.skip()
        return await _state(console, console.of(request), prediction_id)

    async def ask(
        reason: str, earlier: Attempt | None, request: gr.Request
    ) -> AsyncIterator[tuple[Any, Any, Any, Any]]:
        prediction_id = read_prediction_id(read_query(request).get("prediction", ""))
        if not reason.strip():
            raise gr.Error(texts["reason_missing"], title=title, print_exception=False)
        server = console.of(request)
        attempt = attempt_of(earlier, (prediction_id, reason.strip()))
        yield gr.skip(), gr.skip(), gr.skip(), attempt
        await server.post(
            f"/accounts/v1/predictions/{prediction_id}/refund-requests",
            {"reason": reason.strip()},
            key=attempt.key,
        )
        gr.Info(texts["asked"], title=title)
        yield *await _state(console, server, str(prediction_id)), "", None

    told = html_block()
    with gr.Column(visible=False) as form:
        reason = gr.Textbox(
            label=texts["reason"],
            info=texts["reason_info"],
            lines=3,
            max_length=_REASON_CHARACTERS_MAX,
            elem_id="fb-refund-reason",
        )
        button = gr.Button(texts["ask"], elem_id="fb-refund-ask")
    attempt = gr.State()
    page.on_load(show, None, [told, form], show_progress="hidden")
    # Hidden: what a failed event would lay over its outputs covers the form.
    changed = [told, form, reason, attempt]
    console.on(button.click, ask, [reason, attempt], changed, show_progress="hidden")


async def _state(console: Console, server: Server, prediction_id: str) -> tuple[Any, Any]:
    """The HTML of how things stand, and whether the form is shown."""
    try:
        detail, refunds, requests = await asyncio.gather(
            server.get(f"/accounts/v1/predictions/{prediction_id}"),
            server.get(f"/accounts/v1/predictions/{prediction_id}/refunds", limit=100),
            _fetch_requests(server, prediction_id),
        )
    except Problem as problem:
        if problem.status == 404:  # noqa: PLR2004 - the facts say so already
            return "", gr.update(visible=False)
        raise
    left = Decimal(detail["amount"]) - Decimal(detail["refunded"])
    html = console.templates.render(
        "history_refunds.html",
        refunds=refunds["items"],
        requests=requests,
        is_free=Decimal(detail["amount"]) == 0,
        left=str(left),
        has_left=left > 0,
        may_ask=may_ask(detail, requests),
    )
    return html, gr.update(visible=may_ask(detail, requests))


def may_ask(detail: Mapping[str, Any], requests: Sequence[Mapping[str, Any]] | None) -> bool:
    """Something is left to give back, and no request waits. `requests` None: not offered here."""
    if requests is None or any(each["status"] == "open" for each in requests):
        return False
    return Decimal(detail["refunded"]) < Decimal(detail["amount"])


async def _fetch_requests(server: Server, prediction_id: str) -> list[dict[str, Any]] | None:
    """Those of this prediction, newest first; None where the server takes none."""
    try:
        found, _ = await server.pages("/accounts/v1/refund-requests", _REQUESTS_MAX)
    except Problem as problem:
        if problem.status == 404:  # noqa: PLR2004
            return None
        raise
    return [each for each in found if each["prediction_id"] == prediction_id]
