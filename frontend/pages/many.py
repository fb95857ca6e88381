"""many."""

from __future__ import annotations

from frontend.html import html_block
from frontend.pages.frame import Page


def build_many(page: Page) -> None:
    """Lay out the page."""
    html_block(f"<div class='fb'><h1>{page.console.texts('frame', 'many')}</h1></div>")
