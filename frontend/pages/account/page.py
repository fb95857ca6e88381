"""Lays the account's page out: the balance first, then a tab for each thing one comes for."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.account.alerts import build_alerts
from frontend.pages.account.balance import read_balance
from frontend.pages.account.entries import build_entries
from frontend.pages.account.grants import build_grants
from frontend.pages.account.keys import build_keys
from frontend.pages.account.parts import Section
from frontend.pages.account.sessions import build_sessions
from frontend.pages.account.sign_in import build_sign_in
from frontend.pages.account.statements import build_statements
from frontend.pages.account.top_up import build_top_up
from frontend.pages.frame import Page

_TABS = ("credits", "entries", "statements", "keys", "alerts", "sign-in")
"""Their names in the page's address: `?tab=keys`."""


def build_account(page: Page) -> None:
    """What a tab shows is read when it is opened."""
    console = page.console
    html_block(console.templates.render("account_title.html"))
    balance = html_block()
    section = Section(page, balance)

    async def show_balance(request: gr.Request) -> str:
        return await read_balance(section, request)

    refresh = gr.Button(
        section.say("refresh"), size="sm", elem_id="fb-refresh", elem_classes=["fb-narrow"]
    )
    page.then_show_balance(section.click(refresh, show_balance, None, balance))
    page.on_load(show_balance, None, balance, show_progress="hidden")
    tabs: dict[str, gr.Tab] = {}
    with gr.Tabs(overflow_behavior="wrap") as all_tabs:
        for name, build in (
            ("credits", _build_credits),
            ("entries", build_entries),
            ("statements", build_statements),
            ("keys", build_keys),
            ("alerts", build_alerts),
            ("sign-in", _build_sign_in),
        ):
            title = section.say(f"tab_{name}".replace("-", "_"))
            with gr.Tab(title, id=name, elem_id=f"fb-tab-{name}") as tab:
                build(section, tab)
            tabs[name] = tab

    async def choose_tab(request: gr.Request) -> Any:  # noqa: ANN401 - Gradio's update
        wanted = request.query_params.get("tab")
        return gr.Tabs(selected=wanted) if wanted in _TABS else gr.skip()

    page.on_load(choose_tab, None, all_tabs, show_progress="hidden")


def _build_credits(section: Section, tab: gr.Tab) -> None:
    build_top_up(section, tab)
    build_grants(section, tab)


def _build_sign_in(section: Section, tab: gr.Tab) -> None:
    build_sessions(section, tab)
    build_sign_in(section, tab)
