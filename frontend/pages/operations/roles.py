"""Roles: who is an operator or an admin, for admins."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.operations.actions import Action
from frontend.pages.operations.forms import FormFault
from frontend.pages.operations.lookups import find_account
from frontend.pages.operations.part import AdminGate, Part
from frontend.pages.operations.two_steps import TwoSteps
from frontend.server import Server

_ROLES = ("user", "operator", "admin")


def build_roles(part: Part) -> None:
    """Somebody's e-mail, and the role that they get."""
    console = part.console
    gate = AdminGate(part)
    with gate.column:
        html_block(part.render("roles"))
        with gr.Row():
            wanted = gr.Textbox(
                label=part.say("account"), info=part.say("account_info"), max_length=320, scale=2
            )
            role = gr.Radio(part.choices("role_names", _ROLES), label=part.say("role"), scale=2)
        following = gr.Button(part.say("next"), variant="primary", scale=0, min_width=180)
        steps = TwoSteps(part, _teller(part))

    async def show(request: gr.Request) -> list[Any]:
        return (await gate.judge(console.of(request)))[1]

    async def prepare(request: gr.Request, wanted: str, role: str | None) -> Action:
        if not role:
            raise FormFault("role_missing")
        account = await find_account(console.of(request), wanted)
        if account is None or account.role is None:
            raise FormFault("user_unknown")
        if account.role == role:
            raise FormFault("role_same")
        question = part.render("role_question", account=account, role=role)
        path = f"/accounts/v1/users/{account.id}/role"
        return Action("PUT", path, {"role": role}, question)

    steps.wire(following.click, prepare, [wanted, role])
    part.shown_by(show, None, gate.outputs)
    steps.done(wanted)


def _teller(part: Part) -> Any:  # noqa: ANN401 - a Tell
    async def tell(_server: Server, _action: Action, answer: dict[str, Any]) -> str:
        return part.render("role_done", user=answer)

    return tell
