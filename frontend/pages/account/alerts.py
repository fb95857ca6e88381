"""Low-balance alerts: a URL of one's own is told when the balance falls below a level."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.attempts import Attempt, attempt_of
from frontend.html import html_block
from frontend.pages.account.parts import (
    REFUSALS,
    Mistake,
    Section,
    acted,
    acting_block,
    focus,
    make_confirmation,
)
from frontend.prices import read_amount
from frontend.server import Problem

_ALERTS_MAX = 100
_DELIVERIES_MAX = 20
"""The last ones are shown."""


def build_alerts(section: Section, tab: gr.Tab) -> None:
    """The list, the form for another, and what became of an alert's messages."""
    Alerts(section).wire(tab)


class Alerts:
    """The section's components, and what happens to them."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.console = section.console
        say = section.say
        html_block(section.heading("alerts", "alerts_about"))
        self.attempt = gr.State()
        self.doomed = gr.State()
        """The id of the alert that is asked about before it is deleted."""
        self.said = html_block()
        self.rows = acting_block()
        self.confirmation = make_confirmation(section, "alert", say("delete_alert"))
        self.deliveries = html_block()
        with gr.Accordion(say("new_alert"), open=False):
            self.level = gr.Textbox(label=say("level"), info=say("level_hint"), max_lines=1)
            self.url = gr.Textbox(
                label=say("url"), info=say("url_hint"), max_lines=1, placeholder="https://"
            )
            self.make_said = html_block()
            self.make = gr.Button(
                say("make_alert"),
                variant="primary",
                elem_id="fb-make-alert",
                elem_classes=["fb-narrow"],
            )
        with gr.Column(visible=False) as self.secret_panel:
            self.secret = html_block()
            self.kept = gr.Button(
                say("secret_kept"), elem_id="fb-secret-kept", elem_classes=["fb-narrow"]
            )

    def wire(self, tab: gr.Tab) -> None:
        """Events of the section."""
        on, click = self.console.on, self.section.click
        on(tab.select, self._list, None, self.rows, show_progress="hidden")
        click(
            self.make,
            self._make,
            [self.level, self.url, self.attempt],
            [
                self.attempt,
                self.make_said,
                self.level,
                self.url,
                self.secret_panel,
                self.secret,
                self.rows,
            ],
            then_focus="fb-alert-secret",
        )
        click(self.kept, self._forget, None, [self.secret_panel, self.secret])
        asked = [self.doomed, self.said, self.deliveries, *self.confirmation.outputs]
        event = on(self.rows.click, self._act, None, asked, show_progress="hidden")
        event.then(None, js=focus("fb-alert-no"))
        deleted = [self.said, self.rows, self.deliveries, *self.confirmation.outputs]
        click(self.confirmation.yes, self._delete, self.doomed, deleted)

    async def _list(self, request: gr.Request) -> str:
        try:
            alerts, _ = await self.console.of(request).pages("/accounts/v1/alerts", _ALERTS_MAX)
        except REFUSALS as error:
            return self.section.refused(error)
        return self.section.render("alerts", alerts=alerts)

    async def _make(
        self, level: str, url: str, attempt: Attempt | None, request: gr.Request
    ) -> tuple[Any, ...]:
        try:
            body = self._read(level, url)
            attempt = attempt_of(attempt, body)
            made = await self.console.of(request).post("/accounts/v1/alerts", body, key=attempt.key)
        except REFUSALS as error:
            return attempt, self.section.refused(error), *[gr.skip()] * 5
        secret = self.section.render("alert_secret", alert=made)
        return None, "", "", "", gr.Column(visible=True), secret, await self._list(request)

    def _read(self, level: str, url: str) -> dict[str, str]:
        amount = read_amount(level)
        if amount is None or amount == "0":
            raise Mistake(self.section.say("level_unclear"))
        if not url.strip().startswith("https://"):
            raise Mistake(self.section.say("url_unclear"))
        return {"level": amount, "url": url.strip()}

    async def _forget(self) -> tuple[Any, ...]:
        return gr.Column(visible=False), ""

    async def _act(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        what, alert_id = acted(event)
        server, path = self.console.of(request), f"/accounts/v1/alerts/{alert_id}"
        try:
            alert = await server.get(path)
            if what == "delete":
                words = self.section.render("confirm_alert", alert=alert)
                return alert_id, "", "", *self.confirmation.ask(words)
            found = await server.get(f"{path}/deliveries", limit=_DELIVERIES_MAX)
        except REFUSALS as error:
            return None, self.section.refused(error), "", *self.confirmation.closed()
        shown = self.section.render("deliveries", alert=alert, deliveries=found["items"])
        return None, "", shown, *self.confirmation.closed()

    async def _delete(self, alert_id: str, request: gr.Request) -> tuple[Any, ...]:
        said = self.section.told("alert_deleted")
        try:
            await self.console.of(request).change("DELETE", f"/accounts/v1/alerts/{alert_id}")
        except REFUSALS as error:
            if not (isinstance(error, Problem) and error.code == "not_found"):
                said = self.section.refused(error)
        return said, await self._list(request), "", *self.confirmation.closed()
