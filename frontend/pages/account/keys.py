"""API keys: for one's own programs. Shows them, and wires the forms of `key_panels`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import gradio as gr

from frontend.attempts import Attempt, attempt_of
from frontend.days import NotADay
from frontend.html import html_block
from frontend.pages.account.key_forms import (
    PERIODS,
    is_live,
    key_changes,
    key_request,
    rotation_request,
)
from frontend.pages.account.key_panels import ChangePanel, NewPanel, RotatePanel
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

_KEYS_MAX = 500
_PATH = "/accounts/v1/keys"

Key = dict[str, Any]


def build_keys(section: Section, tab: gr.Tab) -> None:
    """A card a key, with what can be done to it."""
    Keys(section).wire(tab)


class Keys:
    """The section's components, and what happens to them."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.console = section.console
        say = section.say
        html_block(section.heading("keys", "keys_about"))
        self.chosen = gr.State()
        """The key that a panel is about, as it is listed: without its secret."""
        self.attempt = gr.State()
        """The key that is being made or rotated, until it was."""
        with gr.Column(visible=False, elem_classes=["fb-confirm"]) as self.secret_panel:
            self.secret = html_block()
            self.kept = gr.Button(
                say("secret_kept"), elem_id="fb-key-kept", elem_classes=["fb-narrow"]
            )
        self.said = html_block()
        self.with_ended = gr.Checkbox(label=say("with_ended"), value=False, container=False)
        self.rows = acting_block()
        self.change = ChangePanel(section)
        self.rotate = RotatePanel(section)
        self.confirmation = make_confirmation(section, "key", say("revoke_key"))
        self.new = NewPanel(section)

    @property
    def _panels(self) -> list[Any]:
        """Shown one at a time, for the key that was chosen."""
        return [
            self.chosen,
            self.said,
            self.change.panel,
            *self.change.outputs,
            self.rotate.panel,
            self.rotate.words,
            *self.confirmation.outputs,
        ]

    def wire(self, tab: gr.Tab) -> None:
        """Events of the section."""
        on, click = self.console.on, self.section.click
        ended, rows = self.with_ended, self.rows
        on(tab.select, self._list, ended, rows, show_progress="hidden")
        on(ended.input, self._list, ended, rows, show_progress="hidden")
        opened = on(self.rows.click, self._open, None, self._panels, show_progress="hidden")
        opened.then(None, js=focus("fb-key-panel"))
        secret = [self.secret_panel, self.secret]
        click(
            self.new.make,
            self._make,
            [*self.new.inputs, self.attempt, ended],
            [self.attempt, self.new.said, *self.new.inputs, *secret, rows],
            then_focus="fb-key-secret",
        )
        click(self.kept, self._forget, None, secret)
        for cancel in (self.change.cancel, self.rotate.cancel):
            on(cancel.click, self._close, None, self._panels, show_progress="hidden")
        click(
            self.change.save,
            self._save,
            [self.chosen, *self.change.inputs, ended],
            [self.change.said, rows, self.said, self.change.panel],
        )
        click(
            self.rotate.rotate,
            self._rotate,
            [self.chosen, self.rotate.hours, self.attempt, ended],
            [self.attempt, self.rotate.said, self.rotate.panel, *secret, rows],
            then_focus="fb-key-secret",
        )
        click(
            self.confirmation.yes,
            self._revoke,
            [self.chosen, ended],
            [self.said, rows, *self.confirmation.outputs],
        )

    async def _list(self, with_ended: bool, request: gr.Request) -> str:
        try:
            keys, _ = await self.console.of(request).pages(_PATH, _KEYS_MAX)
        except REFUSALS as error:
            return self.section.refused(error)
        now = datetime.now(UTC)
        live = {each["id"] for each in keys if is_live(each, now)}
        shown = [each for each in keys if with_ended or each["id"] in live]
        return self.section.render(
            "keys", keys=shown, live=live, hidden=len(keys) - len(shown), periods=PERIODS
        )

    async def _open(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Show the panel that a key's button asks for, filled with what the key has now."""
        what, key_id = acted(event)
        try:
            key = await self.console.of(request).get(f"{_PATH}/{key_id}")
        except REFUSALS as error:
            _, _, *closed = await self._close()
            return None, self.section.refused(error), *closed
        words = self.section.render("confirm_key", key=key, what=what)
        filled = self.change.fill(key, words) if what == "change" else self.change.empty()
        confirmation = (
            self.confirmation.ask(words) if what == "revoke" else self.confirmation.closed()
        )
        rotated = what == "rotate"
        return (
            key,
            "",
            gr.Column(visible=what == "change"),
            *filled,
            gr.Column(visible=rotated),
            words if rotated else "",
            *confirmation,
        )

    async def _close(self) -> tuple[Any, ...]:
        hidden = gr.Column(visible=False)
        return None, "", hidden, *self.change.empty(), hidden, "", *self.confirmation.closed()

    async def _make(  # noqa: PLR0917 - the form's fields
        self,
        name: str,
        scopes: list[str],
        day: str,
        cap_of_day: str,
        cap_of_month: str,
        cap_of_total: str,
        attempt: Attempt | None,
        with_ended: bool,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        try:
            if not scopes:
                raise Mistake(self.section.say("scopes_missing"))
            caps = self._caps(cap_of_day, cap_of_month, cap_of_total)
            body = self._with_day(key_request, self._name(name), scopes, day, caps)
            attempt = attempt_of(attempt, body)
            key = await self.console.of(request).post(_PATH, body, key=attempt.key)
        except REFUSALS as error:
            kept = None if _is_lost(error) else attempt
            return kept, self.section.refused(error), *[gr.skip()] * 9
        rows = await self._list(with_ended, request)
        return None, "", *self.new.empty(), *self._secret(key), rows

    async def _save(  # noqa: PLR0917 - the form's fields
        self,
        key: Key,
        name: str,
        day: str,
        cap_of_day: str,
        cap_of_month: str,
        cap_of_total: str,
        with_ended: bool,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        try:
            caps = self._caps(cap_of_day, cap_of_month, cap_of_total)
            changes = self._with_day(key_changes, key, self._name(name), day, caps)
            if changes:
                await self.console.of(request).change("PATCH", f"{_PATH}/{key['id']}", changes)
        except REFUSALS as error:
            return self.section.refused(error), gr.skip(), "", gr.skip()
        said = self.section.told("key_changed", name=name.strip())
        return "", await self._list(with_ended, request), said, gr.Column(visible=False)

    async def _rotate(
        self,
        key: Key,
        hours: int,
        attempt: Attempt | None,
        with_ended: bool,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        attempt = attempt_of(attempt, {"id": key["id"], "hours": hours})
        body = rotation_request(int(hours), attempt.began_at)
        try:
            made = await self.console.of(request).post(
                f"{_PATH}/{key['id']}/rotate", body, key=attempt.key
            )
        except REFUSALS as error:
            kept = None if _is_lost(error) else attempt
            return kept, self.section.refused(error), *[gr.skip()] * 4
        rows = await self._list(with_ended, request)
        return None, "", gr.Column(visible=False), *self._secret(made), rows

    async def _revoke(self, key: Key, with_ended: bool, request: gr.Request) -> tuple[Any, ...]:
        try:
            await self.console.of(request).change("DELETE", f"{_PATH}/{key['id']}")
        except REFUSALS as error:
            return self.section.refused(error), gr.skip(), *self.confirmation.closed()
        said = self.section.told("key_revoked", name=key["name"])
        return said, await self._list(with_ended, request), *self.confirmation.closed()

    async def _forget(self) -> tuple[Any, ...]:
        return gr.Column(visible=False), ""

    def _secret(self, key: Key) -> tuple[Any, str]:
        """The only time that the whole key is shown."""
        return gr.Column(visible=True), self.section.render("key_secret", key=key)

    def _name(self, name: str) -> str:
        if not name.strip():
            raise Mistake(self.section.say("name_missing"))
        return name

    def _caps(self, *typed: str) -> dict[str, str | None]:
        caps: dict[str, str | None] = {}
        for period, text in zip(PERIODS, typed, strict=True):
            caps[period] = read_amount(text) if text.strip() else None
            if text.strip() and caps[period] is None:
                raise Mistake(self.section.say("cap_unclear", cap=text))
        return caps

    def _with_day(self, make: Any, *values: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            made: dict[str, Any] = make(*values)
        except NotADay as error:
            raise Mistake(self.section.say("not_a_day", day=error.args[0])) from error
        return made


def _is_lost(error: Exception) -> bool:
    """The key was made by an attempt whose answer never came: another attempt makes another."""
    return isinstance(error, Problem) and error.code == "key_already_made"
