"""Ask, pay and read: the price before, the verdict with its reasons after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import gradio as gr

from frontend.attempts import Attempt, attempt_of
from frontend.context import Console
from frontend.explanations import render_reasons
from frontend.model_cards import ModelCard, fetch_priced, find_model
from frontend.pages.check.request_examples import as_curl, as_python
from frontend.server import Problem, Server, ServerError, SessionEnded


async def show_price(console: Console, model_id: str, request: gr.Request) -> str:
    """What a check costs, and the balance before and after it."""
    server = console.of(request)
    card = find_model(await fetch_priced(server), model_id)
    if card is None:
        return console.templates.render("check_price.html", card=None)
    balance = await server.get("/accounts/v1/balance")
    assert card.price is not None  # fetch_priced leaves out what has none
    left = Decimal(balance["available"]) - Decimal(card.price)
    return console.templates.render(
        "check_price.html", card=card, before=balance["available"], after=str(left), left=left
    )


async def check(
    console: Console,
    chosen: list[str],
    model_id: str,
    earlier: Attempt | None,
    request: gr.Request,
) -> AsyncIterator[tuple[Any, Any]]:
    """The outcome's HTML and the attempt to keep: none once it was answered.

    The attempt is kept before it is sent. Where the answer is lost on its way, pressing the button
    again sends the same request under the same key, and is given what was paid for.
    """
    server = console.of(request)
    if not chosen:
        yield console.templates.render("check_empty.html"), None
        return
    attempt = attempt_of(earlier, (model_id, chosen))
    yield console.templates.render("check_waiting.html"), attempt
    card = find_model(await fetch_priced(server), model_id)
    if card is None:
        yield console.templates.render("check_price.html", card=None), None
        return
    body = {"model": card.name, "version": card.version, "instances": [chosen]}
    answer = await server.post("/v1/predictions", body, key=attempt.key)
    yield await _outcome(console, server, card, chosen, answer), None


async def _outcome(
    console: Console, server: Server, card: ModelCard, chosen: list[str], answer: dict[str, Any]
) -> str:
    prediction = answer["predictions"][0]
    before = Decimal(answer["credits_balance"]) + Decimal(answer["credits_charged"])
    reasons, why_not = await _reasons(console, server, card, answer["id"])
    url = console.settings.shown_url
    return console.templates.render(
        "check_outcome.html",
        answer=answer,
        prediction=prediction,
        card=card,
        is_positive=prediction["label"] == card.positive,
        before=str(before),
        reasons=reasons,
        why_not=why_not,
        curl=as_curl(url, card.name, chosen),
        python=as_python(url, card.name, chosen),
    )


async def _reasons(
    console: Console, server: Server, card: ModelCard, prediction_id: str
) -> tuple[Any, str]:
    """The explanation, or why there is none. The verdict is paid: nothing here may hide it."""
    if not card.can_explain:
        return None, console.texts("check", "cannot_explain")
    try:
        answer = await server.get(f"/v1/predictions/{prediction_id}/explanation")
    except SessionEnded:
        return None, console.texts("errors", "session_ended")
    except Problem as problem:
        return None, console.texts.problem(problem.code) or problem.detail
    except ServerError:
        return None, console.texts("errors", "unreachable")
    return render_reasons(console, answer["prediction"], card), ""
