"""What of the entries is asked for: as parameters of the API, and as links to exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from frontend.days import begin_of, end_of
from frontend.links import link

KINDS = ("charge", "top_up", "grant", "refund", "capture", "expiry", "adjustment")
"""Of entries, in the order shown."""

Filters = Mapping[str, str | list[str]]


def read_filters(  # noqa: PLR0917 - the form's fields
    kinds: Sequence[str] | None,
    first_day: str | None,
    last_day: str | None,
    model: str | None,
    version: str | None,
    key: str | None,
) -> dict[str, str | list[str]]:
    """The parameters; what was left empty is left out. Raises NotADay.

    Both days are within: `until` is the moment behind the last one.
    """
    chosen: dict[str, str | list[str] | None] = {
        "kind": list(kinds or []),
        "since": begin_of(first_day),
        "until": end_of(last_day),
        "model": (model or "").strip(),
        "version": (version or "").strip(),
        "key": (key or "").strip(),
    }
    return {name: value for name, value in chosen.items() if value}


def export_link(filters: Filters, form: str) -> str:
    """Where exactly the entries so filtered are downloaded as `csv` or `parquet`."""
    return link("/download/export/entries", filters, {"format": form})
