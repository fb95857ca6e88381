"""E-mail, password, and the end of the account."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.account.key_forms import is_live
from frontend.pages.account.parts import REFUSALS, Section, focus
from frontend.server import ServerError

_PASSWORD_CHARACTERS_MIN = 10
"""As the API asks, which has the last word."""

_KEYS_MAX = 500


def build_sign_in(section: Section, tab: gr.Tab) -> None:
    """Passwords are typed into forms of our own, sent to plain routes: see `credentials`."""
    _build_email(section, tab)
    html_block(section.render("password", least=_PASSWORD_CHARACTERS_MIN))
    _build_deletion(section)


def _build_email(section: Section, tab: gr.Tab) -> None:
    console = section.console
    html_block(section.heading("email"))
    state = html_block()
    said = html_block()
    again = gr.Button(
        section.say("send_again"),
        visible=False,
        elem_id="fb-send-again",
        elem_classes=["fb-narrow"],
    )

    async def show(request: gr.Request) -> tuple[Any, ...]:
        try:
            me = await console.of(request).get("/accounts/v1/me")
        except REFUSALS as error:
            return section.refused(error), gr.skip()
        try:
            sends_mail = (await console.server.get("/accounts/v1/terms"))["sends_mail"]
        except ServerError:
            sends_mail = False
        shown = section.render("email", me=me, sends_mail=sends_mail)
        return shown, gr.Button(visible=sends_mail and not me["email_verified"])

    async def send(request: gr.Request) -> str:
        try:
            await console.of(request).post("/accounts/v1/me/email-verifications")
        except REFUSALS as error:
            return section.refused(error)
        return section.told("mail_sent")

    console.on(tab.select, show, None, [state, again], show_progress="hidden")
    section.click(again, send, None, said)


def _build_deletion(section: Section) -> None:
    console = section.console
    html_block(section.heading("deletion", "deletion_about"))
    begin = gr.Button(
        section.say("begin_deletion"),
        variant="stop",
        elem_id="fb-begin-deletion",
        elem_classes=["fb-narrow"],
    )
    with gr.Column(visible=False, elem_classes=["fb-confirm"]) as panel:
        words = html_block()
        html_block(section.render("deletion_form"))
        cancel = gr.Button(
            section.say("keep_account"), elem_id="fb-keep-account", elem_classes=["fb-narrow"]
        )

    async def show(request: gr.Request) -> tuple[Any, ...]:
        server = console.of(request)
        try:
            me, balance, (keys, _) = await asyncio.gather(
                server.get("/accounts/v1/me"),
                server.get("/accounts/v1/balance"),
                server.pages("/accounts/v1/keys", _KEYS_MAX),
            )
        except REFUSALS as error:
            return gr.Column(visible=False), section.refused(error)
        now = datetime.now(UTC)
        live = [each["name"] for each in keys if is_live(each, now)]
        shown = section.render("confirm_deletion", me=me, balance=balance, keys=live)
        return gr.Column(visible=True), shown

    async def hide() -> tuple[Any, ...]:
        return gr.Column(visible=False), ""

    event = section.click(begin, show, None, [panel, words], then_focus="fb-deletion-password")
    event.then(None, js=focus("fb-deletion-password"))
    console.on(cancel.click, hide, None, [panel, words], show_progress="hidden").then(
        None, js=focus("fb-begin-deletion")
    )
