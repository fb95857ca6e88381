"""Which part of the page an address names."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import gradio as gr


class View(StrEnum):
    """The page's parts."""

    LISTING = "listing"
    DETAILS = "details"
    USAGE = "usage"


def read_query(request: gr.Request) -> dict[str, str]:
    """The query of the page's address."""
    return {name: str(value) for name, value in dict(request.query_params or {}).items()}


def find_view(query: Mapping[str, str]) -> View:
    """`?prediction=...` is that prediction, `?view=usage` the charts, all else the list."""
    if query.get("prediction"):
        return View.DETAILS
    return View.USAGE if query.get("view") == View.USAGE else View.LISTING
