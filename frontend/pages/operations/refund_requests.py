"""Refund requests: those that wait for a decision, and what was decided."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr
from markupsafe import Markup

from frontend.html import html_block
from frontend.pages.operations.actions import Action, plan_decision
from frontend.pages.operations.forms import FormFault, read_amount, read_reason
from frontend.pages.operations.lookups import (
    Account,
    fetch_balance,
    fetch_emails,
    fetch_if_there,
    find_prediction,
    reckon_left,
)
from frontend.pages.operations.part import Part
from frontend.pages.operations.two_steps import TwoSteps
from frontend.server import Problem, Server

_PATH = "/accounts/v1/operator/refund-requests"
_DECIDED = "refund_request_decided"
_SHOWN_MAX = 50
_STATUSES = ("open", "accepted", "declined")


def build_refund_requests(part: Part) -> None:
    """A list, a choice of one, and the form that decides it."""
    console, desk = part.console, _Desk(part)
    with gr.Row(elem_classes="fb-bar"):
        status = gr.Radio(
            part.choices("request_statuses", _STATUSES),
            value=_STATUSES[0],
            label=part.say("request_status"),
            scale=3,
        )
        refresh = part.refresh()
    listed = html_block()
    html_block(part.render("heading", said=part.say("decide")))
    chosen = gr.Dropdown([], label=part.say("request"), info=part.say("request_info"))
    about = html_block()
    with gr.Row():
        reason = gr.Textbox(
            min_width=240,
            label=part.say("decision_reason"),
            info=part.say("decision_reason_info"),
            scale=3,
            max_length=500,
        )
        amount = gr.Textbox(
            min_width=240, label=part.say("amount_back"), info=part.say("amount_back_info"), scale=1
        )
    with gr.Row():
        accept = gr.Button(part.say("accept"), scale=0, min_width=180)
        decline = gr.Button(part.say("decline"), scale=0, min_width=180)
    steps = TwoSteps(part, desk.tell, desk.explain)
    steps.wire(accept.click, desk.prepare_acceptance, [chosen, reason, amount])
    steps.wire(decline.click, desk.prepare_decline, [chosen, reason])
    console.on(chosen.input, desk.describe, chosen, about)
    part.shown_by(
        desk.show, [status, chosen], [listed, chosen, about], status.change, refresh.click
    )
    done = steps.done(reason, amount)
    console.on(
        done.then, desk.show, [status, chosen], [listed, chosen, about], show_progress="hidden"
    )
    part.page.then_show_balance(done)


class _Desk:
    """What the events of the tab do."""

    def __init__(self, part: Part) -> None:
        self._part = part

    async def show(self, status: str, chosen: str | None, request: gr.Request) -> Any:  # noqa: ANN401
        """The list, and the choice: what was chosen stays so while it is open."""
        server = self._part.console.of(request)
        page = await fetch_if_there(server, _PATH, status=status, limit=_SHOWN_MAX)
        if page is None:
            said = self._part.render("note", said=self._part.say("route_missing"))
            return said, gr.Dropdown(choices=[], value=None), ""
        waiting = page
        if status != _STATUSES[0]:
            waiting = await server.get(_PATH, status=_STATUSES[0], limit=_SHOWN_MAX)
        asked = {each["account_id"] for each in page["items"] + waiting["items"]}
        emails = await fetch_emails(server, asked)
        listed = self._part.render(
            "refund_requests",
            requests=page["items"],
            emails=emails,
            status=status,
            more=page["next_cursor"] is not None,
        )
        choices = [(self._name(each, emails), each["id"]) for each in waiting["items"]]
        if chosen in {value for _, value in choices}:
            return listed, gr.Dropdown(choices=choices), gr.skip()
        return listed, gr.Dropdown(choices=choices, value=None), ""

    def _name(self, asked: dict[str, Any], emails: dict[str, str]) -> str:
        """Who asked, when, and for which prediction."""
        who = emails.get(asked["account_id"], asked["account_id"])
        moment = self._part.console.templates.show_moment(asked["created_at"])
        return f"{who} \N{MIDDLE DOT} {moment} \N{MIDDLE DOT} {asked['prediction_id'][:8]}"

    async def describe(self, request_id: str | None, request: gr.Request) -> str:
        """The request that was chosen, with its prediction."""
        if not request_id:
            return ""
        asked, account, prediction = await self._look_up(self._part.console.of(request), request_id)
        return self._part.render(
            "refund_request", asked=asked, account=account, prediction=prediction
        )

    async def prepare_acceptance(
        self, request: gr.Request, request_id: str | None, reason: str, amount: str
    ) -> Action:
        part_of_it = read_amount(amount) if (amount or "").strip() else None
        return await self._prepare(request, "accept", request_id, reason, part_of_it)

    async def prepare_decline(
        self, request: gr.Request, request_id: str | None, reason: str
    ) -> Action:
        return await self._prepare(request, "decline", request_id, reason, None)

    async def _prepare(
        self,
        request: gr.Request,
        verb: str,
        request_id: str | None,
        reason: str,
        amount: str | None,
    ) -> Action:
        if not request_id:
            raise FormFault("request_missing")
        said = read_reason(reason)
        asked, account, prediction = await self._look_up(self._part.console.of(request), request_id)
        path, body = plan_decision(request_id, verb, amount, said)
        question = self._part.render(
            "decision_question",
            verb=verb,
            account=account,
            asked=asked,
            left=reckon_left(prediction) if prediction else None,
            amount=amount,
            reason=said,
        )
        about = {"account": account, "verb": verb, "request_id": request_id}
        return Action("POST", path, body, question, about)

    async def tell(self, server: Server, action: Action, answer: dict[str, Any]) -> str:
        account: Account = action.about["account"]
        return self._part.render(
            "decision_done",
            verb=action.about["verb"],
            account=account,
            answer=answer,
            balance=await fetch_balance(server, account.id),
        )

    async def explain(self, server: Server, action: Action, problem: Problem) -> Markup | None:
        """Another operator was first: what they decided."""
        if problem.code != _DECIDED:
            return None
        asked = await server.get(f"{_PATH}/{action.about['request_id']}")
        account = action.about["account"]
        return self._part.render("decided_before", asked=asked, account=account)

    async def _look_up(
        self, server: Server, request_id: str
    ) -> tuple[dict[str, Any], Account, dict[str, Any] | None]:
        asked = await server.get(f"{_PATH}/{request_id}")
        account_id = asked["account_id"]
        emails, prediction = await asyncio.gather(
            fetch_emails(server, [account_id]),
            find_prediction(server, account_id, asked["prediction_id"]),
        )
        return asked, Account(account_id, emails.get(account_id)), prediction
