"""The audit log: what operators and admins did, for admins."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.operations.lookups import fetch_emails, find_account
from frontend.pages.operations.part import AdminGate, Part
from frontend.server import Server

_ROWS = 25
_PATH = "/accounts/v1/audit"

Cursors = list[str | None]
"""Of the pages up to the one that is shown."""


def build_audit(part: Part) -> None:
    """Filters above; newer and older below."""
    console = part.console
    gate = AdminGate(part)
    cursors = gr.State([None])
    following = gr.State(None)
    with gate.column:
        with gr.Row(elem_classes="fb-bar"):
            account = gr.Textbox(
                label=part.say("audit_account"),
                info=part.say("account_info"),
                max_length=320,
                scale=2,
            )
            actions = part.console.texts.section("operations")["audit_actions"]
            action = gr.Dropdown(
                [(part.say("audit_any"), ""), *part.choices("audit_actions", actions)],
                value="",
                label=part.say("audit_action"),
                scale=2,
            )
            refresh = part.refresh()
        shown = html_block()
        with gr.Row():
            newer = gr.Button(
                part.say("newer"), size="sm", scale=0, min_width=140, interactive=False
            )
            older = gr.Button(
                part.say("older"), size="sm", scale=0, min_width=140, interactive=False
            )
    log = _Log(part)
    outputs = [shown, cursors, following, newer, older]

    async def show(account: str, action: str, request: gr.Request) -> list[Any]:
        server = console.of(request)
        is_admin, judged = await gate.judge(server)
        if not is_admin:
            return [*judged, *(gr.skip() for _ in outputs)]
        return [*judged, *await log.read(server, account, action, [None])]

    async def go_older(
        account: str, action: str, cursors: Cursors, following: str | None, request: gr.Request
    ) -> list[Any]:
        return await log.read(console.of(request), account, action, [*cursors, following])

    async def go_newer(
        account: str, action: str, cursors: Cursors, request: gr.Request
    ) -> list[Any]:
        return await log.read(console.of(request), account, action, cursors[:-1] or [None])

    filters = [account, action]
    part.shown_by(
        show, filters, [*gate.outputs, *outputs], refresh.click, account.submit, action.change
    )
    console.on(older.click, go_older, [*filters, cursors, following], outputs)
    console.on(newer.click, go_newer, [*filters, cursors], outputs)


class _Log:
    """Reads pages of the log."""

    def __init__(self, part: Part) -> None:
        self._part = part

    async def read(self, server: Server, account: str, action: str, cursors: Cursors) -> list[Any]:
        wanted = None
        if (account or "").strip():
            found = await find_account(server, account)
            if found is None:
                said = self._part.console.show_fault(self._part.say("account_unknown"))
                off = gr.Button(interactive=False)
                return [said, [None], None, off, off]
            wanted = found.id
        page = await server.get(
            _PATH, account_id=wanted, action=action, limit=_ROWS, cursor=cursors[-1]
        )
        records, following = page["items"], page["next_cursor"]
        people = {each[who] for each in records for who in ("actor_id", "account_id")} - {None}
        emails = await fetch_emails(server, people)
        return [
            self._part.render("audit", records=records, emails=emails),
            cursors,
            following,
            gr.Button(interactive=len(cursors) > 1),
            gr.Button(interactive=following is not None),
        ]
