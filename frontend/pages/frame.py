"""What every page has: the header with the way around and the balance, the footer, the load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gradio as gr

from frontend.context import Console
from frontend.guard import PAGES
from frontend.html import html_block
from frontend.language import Language
from frontend.server import ServerError, SessionEnded

_OPERATORS = frozenset({"operator", "admin"})


@dataclass(frozen=True, slots=True)
class Page:
    """A page under construction: what its builder hangs on it."""

    console: Console
    name: str
    blocks: gr.Blocks
    header: gr.HTML

    def on_load(self, handler: Any, inputs: Any = None, outputs: Any = None, **options: Any) -> Any:  # noqa: ANN401
        """Run `handler` when somebody opens the page."""
        return self.console.on(self.blocks.load, handler, inputs, outputs, **options)

    def then_show_balance(self, event: Any) -> Any:  # noqa: ANN401 - Gradio's dependency
        """After an event that moved credits: read the balance anew."""
        return self.console.on(event.then, self._header, None, self.header, show_progress="hidden")

    async def _header(self, request: gr.Request) -> str:
        return await render_header(self.console, self.name, request)


@contextmanager
def open_page(console: Console, blocks: gr.Blocks, name: str) -> Iterator[Page]:
    """Lay out one page; `name` is its path behind the language, "" the welcome page's."""
    header = html_block(_header(console, name, None, None, name))
    page = Page(console, name, blocks, header)
    page.on_load(page._header, None, header, show_progress="hidden")  # noqa: SLF001 - its own
    yield page
    html_block(console.templates.render("footer.html", server_url=console.settings.shown_url))


async def render_header(console: Console, name: str, request: gr.Request) -> str:
    """The header for whoever sits there; for nobody signed in on the welcome page."""
    query = str(request.query_params) if request.query_params else ""
    after = console.path(name) + (f"?{query}" if query else "")
    try:
        server = console.of(request)
        me, balance = await server.get("/accounts/v1/me"), await server.get("/accounts/v1/balance")
    except SessionEnded:
        if name:
            raise
        return _header(console, name, None, None, after, known=True)
    except ServerError:
        return _header(console, name, None, None, after)
    return _header(console, name, me, balance, after, known=True)


def is_operator(me: dict[str, Any]) -> bool:
    """Whether a user sees the operators' page."""
    return me["role"] in _OPERATORS


def _header(
    console: Console,
    name: str,
    me: dict[str, Any] | None,
    balance: dict[str, Any] | None,
    after: str,
    *,
    known: bool = False,
) -> str:
    """`known`: whether it is known that somebody or nobody is signed in."""
    other = next(each for each in Language if each is not console.language)
    hidden = set() if me and is_operator(me) else {"operations"}
    return console.templates.render(
        "header.html",
        me=me,
        balance=balance,
        known=known,
        page=name,
        pages=[each for each in PAGES if each not in hidden],
        other_language=str(other),
        after=after,
    )
