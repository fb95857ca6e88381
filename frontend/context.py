"""What every page is built with, and how the events of a page are wired."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import structlog
from markupsafe import Markup, escape

from frontend.features.catalogue import FeatureCatalogue
from frontend.html import Templates
from frontend.language import Language
from frontend.results import ResultFiles
from frontend.server import Problem, Server, SessionEnded, Unreachable
from frontend.session import SESSION_COOKIE
from frontend.settings import ConsoleSettings
from frontend.texts import Texts

logger = structlog.get_logger(__name__)

Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Console:
    """One language's console: pages take from it whatever they need."""

    settings: ConsoleSettings
    server: Server
    """Asked in nobody's name; `of(request)` for that of whoever sits there."""
    texts: Texts
    templates: Templates
    features: FeatureCatalogue
    results: ResultFiles

    @property
    def language(self) -> Language:
        return self.texts.language

    def path(self, page: str) -> str:
        """Of a page of this language: `path("check")`; the welcome page is `path("")`."""
        return f"/{self.language}/{page}"

    def of(self, request: gr.Request) -> Server:
        """The server in the name of whoever sent the event; raises SessionEnded otherwise."""
        return self.server.as_user(request.cookies.get(SESSION_COOKIE))

    def on(
        self,
        trigger: Callable[..., Any],
        handler: Handler,
        inputs: Sequence[Any] | Any = None,  # noqa: ANN401 - components
        outputs: Sequence[Any] | Any = None,  # noqa: ANN401
        **options: Any,  # noqa: ANN401 - Gradio's
    ) -> Any:  # noqa: ANN401 - a Gradio dependency, to chain
        """Wire an event: what fails is told in plain words, and no handler is a public endpoint.

        `trigger` is a component's event, such as `button.click`, or the page's `load`.
        """
        options.setdefault("api_visibility", "private")
        return trigger(self._told(handler), inputs, outputs, **options)

    def say(self, error: Exception) -> Markup:
        """What a person reads of an error: HTML."""
        if isinstance(error, SessionEnded):
            return self.templates.render("session_ended.html", sign_in=self.path(""))
        if isinstance(error, Unreachable):
            return escape(self.texts("errors", "unreachable"))
        if isinstance(error, Problem):
            return self.templates.render("problem.html", problem=error)
        logger.error("page_failed", exc_info=error)
        return escape(self.texts("errors", "unexpected"))

    def show_fault(self, said: str) -> Markup:
        """A note in the place of what is not there: what `say` made of an error, or a text."""
        return self.templates.render("fault.html", said=said)

    def _told(self, handler: Handler) -> Handler:
        """`handler` with its errors turned into Gradio's, shown as a message on the page."""
        if inspect.isasyncgenfunction(handler):

            @functools.wraps(handler)
            async def stream(*arguments: Any) -> Any:  # noqa: ANN401
                try:
                    async for each in handler(*arguments):
                        yield each
                except gr.Error:
                    raise
                except Exception as error:
                    raise self._message(error) from error

            return stream

        @functools.wraps(handler)
        async def answer(*arguments: Any) -> Any:  # noqa: ANN401
            try:
                return await handler(*arguments)
            except gr.Error:
                raise
            except Exception as error:
                raise self._message(error) from error

        return answer

    def _message(self, error: Exception) -> gr.Error:
        return gr.Error(self.say(error), title=self.texts("frame", "title"), print_exception=False)
