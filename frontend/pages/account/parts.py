"""What the sections of the account's page share: buttons that wait, answers, confirmations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from frontend.context import Console, Handler
from frontend.days import show_month
from frontend.html import html_block
from frontend.pages.account.browsers import name_browser
from frontend.pages.frame import Page
from frontend.prices import show_price
from frontend.server import Problem, Unreachable

_ACTS = """element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) trigger("click", { act: button.dataset.act, id: button.dataset.id || "" });
});"""
_DISABLE = "() => ({ __type__: 'update', interactive: false })"


class Mistake(Exception):
    """What was typed cannot be sent; its one argument says so in the reader's words."""


REFUSALS = (Problem, Unreachable, Mistake)
"""What a section says beside its form; a session that ended concerns the whole page."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section under construction."""

    page: Page
    balance: gr.HTML
    """Shows what there is; `then_show_balance` reads it anew."""

    @property
    def console(self) -> Console:
        return self.page.console

    def say(self, name: str, /, **values: object) -> str:
        """A text of this page."""
        return self.console.texts("account", name, **values)

    def render(self, template: str, /, **values: object) -> str:
        """`account_<template>.html`."""
        language = self.console.language
        return self.console.templates.render(
            f"account_{template}.html",
            values,
            price=partial(show_price, language=language),
            month=partial(show_month, language=language),
            browser=name_browser,
            reason=self._reason,
        )

    def heading(self, name: str, about: str = "") -> str:
        """The title of a section, and what is said of it."""
        return self.render("heading", name=name, about=about)

    def told(self, name: str, /, **values: object) -> str:
        """That something went well: HTML, read out by screen readers."""
        return self._said(text=self.say(name, **values), bad=False)

    def refused(self, error: Exception) -> str:
        """Why something did not happen: HTML, read out by screen readers."""
        if isinstance(error, Mistake):
            return self._said(text=str(error))
        if isinstance(error, Problem):
            return self._said(problem=error)
        return self._said(text=self.console.say(error))

    def _said(self, *, text: str = "", problem: Problem | None = None, bad: bool = True) -> str:
        faults = [(self._field(where), what) for where, what in problem.faults] if problem else []
        return self.render("said", text=text, problem=problem, faults=faults, bad=bad)

    def _field(self, pointer: str) -> str:
        """What the form calls the part of a request that has a fault."""
        name = f"field_{pointer.removeprefix('query').strip('/').replace('/', '_')}"
        return str(self.console.texts.section("account").get(name, pointer))

    def _reason(self, reason: str) -> str:
        """Those that the service gives itself are in the reader's language."""
        name = f"reason_{reason.replace('-', '_')}"
        return str(self.console.texts.section("account").get(name, reason))

    def click(
        self,
        button: gr.Button,
        handler: Handler,
        inputs: Sequence[Any] | Any = None,  # noqa: ANN401 - components
        outputs: Sequence[Any] | Any = None,  # noqa: ANN401
        *,
        then_focus: str = "",
        **options: Any,  # noqa: ANN401 - Gradio's
    ) -> Any:  # noqa: ANN401 - a Gradio dependency, to chain
        """Wire a button that is disabled while its handler runs.

        The focus goes to the element of the id `then_focus` if it is there afterwards, or back.
        """
        button.click(None, None, button, js=_DISABLE, queue=False, api_visibility="private")
        options.setdefault("show_progress", "minimal")
        event = self.console.on(button.click, handler, inputs, outputs, **options)
        event.then(
            None,
            None,
            button,
            js=_enable(button.elem_id, then_focus),
            queue=False,
            api_visibility="private",
        )
        return event


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The second step before something is destroyed: hidden until `ask` shows it."""

    panel: gr.Column
    words: gr.HTML
    yes: gr.Button
    no: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """What `ask` and `closed` answer for."""
        return [self.panel, self.words]

    @staticmethod
    def ask(words: str) -> list[Any]:
        """Show it, with what is going to be destroyed."""
        return [gr.Column(visible=True), words]

    @staticmethod
    def closed() -> list[Any]:
        """Hide it."""
        return [gr.Column(visible=False), ""]


def make_confirmation(section: Section, name: str, yes: str) -> Confirmation:
    """`name` makes the ids of its elements; `yes` is what the button of no return says."""
    with gr.Column(visible=False, elem_classes=["fb-confirm"]) as panel:
        words = html_block()
        with gr.Row():
            no = gr.Button(section.say("keep"), elem_id=f"fb-{name}-no", size="md")
            sure = gr.Button(yes, variant="stop", elem_id=f"fb-{name}-yes", size="md")
    made = Confirmation(panel, words, sure, no)

    async def close() -> list[Any]:
        return made.closed()

    section.console.on(no.click, close, None, made.outputs, show_progress="hidden")
    return made


def acting_block() -> gr.HTML:
    """HTML whose buttons with `data-act` (and `data-id`) raise its `click`; see `acted`."""
    return gr.HTML("", js_on_load=_ACTS, padding=False, apply_default_css=False)


def acted(event: gr.EventData) -> tuple[str, str]:
    """Which button of an `acting_block` was pressed: what is to be done, and to which thing."""
    return str(event.act), str(event.id)


def focus(element_id: str) -> str:
    """JavaScript: the focus goes there, once it is on the page."""
    return (
        "() => { setTimeout(() => { const to = document.getElementById('"
        + element_id
        + "'); to?.focus(); to?.scrollIntoView({ block: 'nearest' }); }, 150); }"
    )


def date_box(label: str, info: str | None = None) -> gr.Textbox:
    """A day: the page's script makes it the browser's own field for dates."""
    return gr.Textbox(
        label=label,
        info=info,
        max_lines=1,
        min_width=220,
        elem_classes=["fb-date"],
        placeholder="YYYY-MM-DD",
    )


def _enable(button_id: str | None, then_focus: str) -> str:
    return (
        "() => { setTimeout(() => { const to = document.getElementById('"
        + then_focus
        + "') || document.getElementById('"
        + (button_id or "")
        + "'); if (document.activeElement === document.body || to?.id === '"
        + (then_focus or "-")
        + "') to?.focus(); }, 150); return { __type__: 'update', interactive: true }; }"
    )
