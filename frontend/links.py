"""Addresses with a query."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode


def link(path: str, *parts: Mapping[str, object]) -> str:
    """`path` with all `parts` as its query; empty values are left out."""
    query = {name: value for part in parts for name, value in part.items() if value}
    return f"{path}?{urlencode(query, doseq=True)}" if query else path
