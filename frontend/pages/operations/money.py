"""Money with a reason: look at an account, give it credits, put it right, give back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

import gradio as gr

from frontend.html import html_block
from frontend.pages.operations.actions import Action, Plan, plan_adjustment, plan_grant, plan_refund
from frontend.pages.operations.forms import (
    FormFault,
    read_amount,
    read_id,
    read_moment,
    read_reason,
)
from frontend.pages.operations.lookups import (
    Account,
    fetch_balance,
    find_account,
    find_prediction,
    reckon_left,
)
from frontend.pages.operations.part import Part
from frontend.pages.operations.two_steps import TwoSteps
from frontend.server import Server

_DEEDS = ("grant", "adjustment", "refund")
_PRIORITY = 50
_PRIORITY_MAX = 99
_ROWS = 20


def build_money(part: Part) -> None:
    """The account above, what may be done to it below."""
    console, till = part.console, _Till(part)
    account = gr.State(None)
    with gr.Row(elem_classes="fb-bar"):
        wanted = gr.Textbox(
            label=part.say("account"), info=part.say("account_info"), max_length=320, scale=3
        )
        find = gr.Button(part.say("find"), variant="primary", scale=0, min_width=120)
    shown = html_block()
    with gr.Column(visible=False) as column:
        html_block(part.render("heading", said=part.say("by_hand")))
        deed = gr.Radio(part.choices("deeds", _DEEDS), value=_DEEDS[0], label=part.say("deed"))
        prediction = gr.Textbox(
            label=part.say("prediction_id"), info=part.say("prediction_id_info"), visible=False
        )
        with gr.Row():
            amount = gr.Textbox(
                label=part.say("amount"), min_width=240, info=_amount_info(part, _DEEDS[0]), scale=1
            )
            reason = gr.Textbox(
                label=part.say("reason"), info=part.say("reason_info"), max_length=500, scale=3
            )
        with gr.Row() as row:
            priority = gr.Slider(
                0,
                _PRIORITY_MAX,
                _PRIORITY,
                step=1,
                label=part.say("priority"),
                info=part.say("priority_info"),
            )
            expiry = gr.Textbox(label=part.say("expiry"), info=part.say("expiry_info"))
        following = gr.Button(part.say("next"), variant="primary", scale=0, min_width=180)
        steps = TwoSteps(part, till.tell)
    inputs = [account, deed, amount, reason, priority, expiry, prediction]
    steps.wire(following.click, till.prepare, inputs)
    for trigger in (find.click, wanted.submit):
        console.on(trigger, till.find, wanted, [account, shown, column])

    async def switch(deed: str) -> Any:  # noqa: ANN401
        return (
            gr.Textbox(visible=deed == "refund"),
            gr.Textbox(info=_amount_info(part, deed)),
            gr.Row(visible=deed == "grant"),
        )

    console.on(deed.change, switch, deed, [prediction, amount, row], show_progress="hidden")
    done = steps.done(amount, reason, prediction, expiry)
    console.on(done.then, till.show, account, shown, show_progress="hidden")
    part.page.then_show_balance(done)


def _amount_info(part: Part, deed: str) -> str:
    return part.say(f"amount_info_{deed}")


class _Form(NamedTuple):
    """What was typed, in the order of the components."""

    deed: str
    amount: str | None
    reason: str | None
    priority: int
    expiry: str | None
    prediction: str | None


class _Till:
    """What the events of the tab do."""

    def __init__(self, part: Part) -> None:
        self._part = part

    async def find(self, wanted: str, request: gr.Request) -> Any:  # noqa: ANN401
        server = self._part.console.of(request)
        account = await find_account(server, wanted)
        if account is None:
            said = self._part.console.show_fault(self._part.say("account_unknown"))
            return None, said, gr.Column(visible=False)
        return account, await self.show(account, request), gr.Column(visible=True)

    async def show(self, account: Account | None, request: gr.Request) -> str:
        """Balance, grants, debts and last entries."""
        if account is None:
            return ""
        server = self._part.console.of(request)
        base = f"/accounts/v1/accounts/{account.id}"
        lists = ("grants", "debts", "entries")
        balance, *pages = await asyncio.gather(
            fetch_balance(server, account.id),
            *(server.get(f"{base}/{each}", limit=_ROWS) for each in lists),
        )
        found = {name: page["items"] for name, page in zip(lists, pages, strict=True)}
        return self._part.render("account", account=account, balance=balance, **found)

    async def prepare(self, request: gr.Request, account: Account | None, *typed: Any) -> Action:  # noqa: ANN401
        form = _Form(*typed)
        if account is None:
            raise FormFault("account_missing")
        server = self._part.console.of(request)
        if form.deed == "refund":
            return await self._prepare_refund(server, account, form)
        is_signed = form.deed == "adjustment"
        amount = read_amount(form.amount, signed=is_signed)
        reason = read_reason(form.reason)
        until = None
        if form.deed == "grant":
            until = read_moment(form.expiry, datetime.now(UTC))
            plan = plan_grant(account.id, amount, reason, int(form.priority), until)
        else:
            plan = plan_adjustment(account.id, amount, reason)
        return await self._ask(server, account, form.deed, plan, until=until)

    async def _prepare_refund(self, server: Server, account: Account, form: _Form) -> Action:
        amount = None
        if (form.amount or "").strip():
            amount = read_amount(form.amount)
        prediction_id, reason = read_id(form.prediction), read_reason(form.reason)
        prediction = await find_prediction(server, account.id, prediction_id)
        if prediction is None:
            raise FormFault("prediction_unknown")
        plan = plan_refund(prediction_id, amount, reason)
        left = reckon_left(prediction)
        return await self._ask(server, account, form.deed, plan, prediction=prediction, left=left)

    async def _ask(
        self, server: Server, account: Account, deed: str, plan: Plan, **more: object
    ) -> Action:
        path, body = plan
        question = self._part.render(
            "money_question",
            deed=deed,
            account=account,
            body=body,
            balance=await fetch_balance(server, account.id),
            **more,
        )
        return Action("POST", path, body, question, {"account": account, "deed": deed})

    async def tell(self, server: Server, action: Action, answer: dict[str, Any]) -> str:
        account: Account = action.about["account"]
        return self._part.render(
            "money_done",
            deed=action.about["deed"],
            account=account,
            answer=answer,
            balance=await fetch_balance(server, account.id),
        )
