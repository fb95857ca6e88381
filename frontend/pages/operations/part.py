"""What each tab of the operators' page is built with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from frontend.context import Console
from frontend.html import html_block
from frontend.pages.frame import Page
from frontend.pages.operations.figures import Figures
from frontend.server import Problem, Server

_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Part:
    """One tab under construction."""

    page: Page
    tab: gr.Tab
    figures: Figures

    @property
    def console(self) -> Console:
        """This language's."""
        return self.page.console

    def say(self, name: str, **values: object) -> str:
        """A text of this page."""
        return self.console.texts("operations", name, **values)

    def choices(self, name: str, values: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - an iterable
        """Of a dropdown or radio: each value under what the table of texts `name` calls it."""
        shown = self.console.texts.section("operations")[name]
        return [(shown[each], each) for each in values]

    def render(self, template: str, **values: object) -> Markup:
        """A template of this page; `f` shows figures."""
        return self.console.templates.render(f"operations_{template}.html", values, f=self.figures)

    def refresh(self, **options: Any) -> gr.Button:  # noqa: ANN401 - Gradio's
        """The button that reads a tab anew."""
        return gr.Button(self.say("refresh"), size="sm", scale=0, min_width=120, **options)

    def shown_by(
        self,
        handler: Callable[..., Any],
        inputs: Any,  # noqa: ANN401 - components
        outputs: Any,  # noqa: ANN401
        *triggers: Callable[..., Any],
    ) -> None:
        """Run `handler` when the tab is opened, and at `triggers`."""
        for trigger in (self.tab.select, *triggers):
            self.console.on(trigger, handler, inputs, outputs)


class AdminGate:
    """A sentence for those who are no admins, by the API's word, and a column for those who are."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self.said = html_block()
        self.column = gr.Column(visible=False)

    @property
    def outputs(self) -> list[Any]:
        """What `judge` fills."""
        return [self.said, self.column]

    async def judge(self, server: Server) -> tuple[bool, list[Any]]:
        """Whether the audit log, which is for admins alone, is open to whoever asks."""
        try:
            await server.get("/accounts/v1/audit", limit=1)
        except Problem as problem:
            if problem.status != _FORBIDDEN:
                raise
            said = self._part.render("note", said=self._part.say("admins_only"))
            return False, [said, gr.Column(visible=False)]
        return True, ["", gr.Column(visible=True)]
