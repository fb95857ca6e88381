"""Sessions: where one is signed in, and how to end that."""

from __future__ import annotations

from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.account.parts import (
    REFUSALS,
    Section,
    acted,
    acting_block,
    focus,
    make_confirmation,
)
from frontend.server import Problem

_SESSIONS_MAX = 100
_PATH = "/accounts/v1/sessions"
_OTHERS = "others"


def build_sessions(section: Section, tab: gr.Tab) -> None:
    """A card a session."""
    Sessions(section).wire(tab)


class Sessions:
    """The section's components, and what happens to them."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.console = section.console
        html_block(section.heading("sessions"))
        self.doomed = gr.State()
        """The id of the session that is asked about before it ends, or `others`."""
        self.said = html_block()
        self.rows = acting_block()
        self.confirmation = make_confirmation(section, "session", section.say("end_session"))

    def wire(self, tab: gr.Tab) -> None:
        """Events of the section."""
        on = self.console.on
        on(tab.select, self._list, None, self.rows, show_progress="hidden")
        asked = [self.doomed, self.said, *self.confirmation.outputs]
        event = on(self.rows.click, self._ask, None, asked, show_progress="hidden")
        event.then(None, js=focus("fb-session-no"))
        ended = [self.said, self.rows, *self.confirmation.outputs]
        self.section.click(self.confirmation.yes, self._end, self.doomed, ended)

    async def _read(self, request: gr.Request) -> list[dict[str, Any]]:
        sessions, _ = await self.console.of(request).pages(_PATH, _SESSIONS_MAX)
        return sessions

    async def _list(self, request: gr.Request) -> str:
        try:
            return self.section.render("sessions", sessions=await self._read(request))
        except REFUSALS as error:
            return self.section.refused(error)

    async def _ask(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        what, session_id = acted(event)
        try:
            sessions = await self._read(request)
        except REFUSALS as error:
            return None, self.section.refused(error), *self.confirmation.closed()
        wanted = _OTHERS if what == _OTHERS else session_id
        doomed = [
            each for each in sessions if not each["current"] and wanted in {_OTHERS, each["id"]}
        ]
        words = self.section.render("confirm_sessions", sessions=doomed)
        return wanted, "", *self.confirmation.ask(words)

    async def _end(self, wanted: str, request: gr.Request) -> tuple[Any, ...]:
        said = self.section.told("session_ended")
        try:
            path = _PATH if wanted == _OTHERS else f"{_PATH}/{wanted}"
            await self.console.of(request).change("DELETE", path)
        except REFUSALS as error:
            if not (isinstance(error, Problem) and error.code == "not_found"):
                said = self.section.refused(error)
        return said, await self._list(request), *self.confirmation.closed()
