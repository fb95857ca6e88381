"""A deed in two steps: the form asks what is meant, the second step names it and does it once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from frontend.html import html_block
from frontend.pages.operations.actions import Action, may_be_repeated
from frontend.pages.operations.forms import FormFault
from frontend.pages.operations.part import Part
from frontend.server import Problem, Server, Unreachable

Prepare = Callable[..., Awaitable[Action]]
Tell = Callable[[Server, Action, Any], Awaitable[str]]
"""What to say after it was done: HTML."""

Explain = Callable[[Server, Action, Problem], Awaitable[Markup | None]]
"""What to say of a refusal; None where what is said of it everywhere will do."""


class TwoSteps:
    """Lays out the second step below a form; `wire` it to the buttons of the first."""

    def __init__(self, part: Part, tell: Tell, explain: Explain | None = None) -> None:
        self._part = part
        self._tell = tell
        self._explain = explain
        self._action = gr.State(None)
        self._question = html_block()
        with gr.Row(visible=False) as self._row:
            self._go = gr.Button(part.say("do_it"), variant="primary", scale=0, min_width=180)
            self._back = gr.Button(part.say("back"), scale=0, min_width=120)
        part.console.on(self._back.click, self._close, None, [self._question, self._row])

    def wire(self, trigger: Callable[..., Any], prepare: Prepare, inputs: Sequence[Any]) -> None:
        """At `trigger` the second step opens with what `prepare(request, *inputs)` plans."""

        async def open_step(request: gr.Request, before: Action | None, *typed: Any) -> Any:  # noqa: ANN401
            try:
                action = (await prepare(request, *typed)).after(before)
            except FormFault as fault:
                return before, self._say_bad(self._part.say(fault.name)), gr.Row(visible=False)
            except Problem as problem:
                return before, self._say_bad(self._part.console.say(problem)), gr.Row(visible=False)
            return action, action.question, gr.Row(visible=True)

        self._part.console.on(
            trigger, open_step, [self._action, *inputs], [self._action, self._question, self._row]
        )

    def done(self, *typed: Any) -> Any:  # noqa: ANN401 - components; a Gradio dependency, to chain
        """Wire the last button; chain what has to be read anew behind it. `typed` are the boxes
        that are emptied once it was done."""

        async def carry_out(action: Action | None, request: gr.Request) -> list[Any]:
            shown, is_done = await self._carry_out(action, request)
            return [*shown, *("" if is_done else gr.skip() for _ in typed)]

        outputs = [self._action, self._question, self._row, *typed]
        return self._part.console.on(self._go.click, carry_out, self._action, outputs)

    async def _carry_out(
        self, action: Action | None, request: gr.Request
    ) -> tuple[list[Any], bool]:
        if action is None:
            return [None, "", gr.Row(visible=False)], False
        server = self._part.console.of(request)
        try:
            answer = await action.carry_out(server)
        except (Problem, Unreachable) as error:
            again = may_be_repeated(error)
            said = await self._say_error(server, action, error)
            if again:
                said += f" {self._part.say('press_again')}"
            shown = self._say_bad(said) + (action.question if again else "")
            return [action, shown, gr.Row(visible=again)], False
        return [None, await self._tell(server, action, answer), gr.Row(visible=False)], True

    async def _say_error(self, server: Server, action: Action, error: Exception) -> Markup:
        if self._explain and isinstance(error, Problem):
            explained = await self._explain(server, action, error)
            if explained is not None:
                return explained
        return self._part.console.say(error)

    async def _close(self) -> tuple[str, Any]:
        return "", gr.Row(visible=False)

    def _say_bad(self, said: str) -> Markup:
        return self._part.console.show_fault(said)
