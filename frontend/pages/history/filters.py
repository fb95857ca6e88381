"""What a list of predictions is narrowed to, read from a page's address and written into others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from frontend.days import NotADay, moment_of, read_day

SESSION_KEY = "session"
"""The key id of what was scored by a signed-in person."""


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """All empty: everything. Both days count, as days of UTC."""

    first_day: date | None = None
    last_day: date | None = None
    model: str = ""
    version: str = ""
    key: str = ""

    @property
    def is_empty(self) -> bool:
        return self == HistoryFilter()

    def as_parameters(self) -> dict[str, str]:
        """As the API's lists and exports take it."""
        return _filled(
            since=moment_of(self.first_day) if self.first_day else "",
            until=moment_of(self.last_day + timedelta(days=1)) if self.last_day else "",
            model=self.model,
            version=self.version,
            key=self.key,
        )

    def as_query(self) -> dict[str, str]:
        """As the page's own address has it."""
        return _filled(
            **{"from": self.first_day.isoformat() if self.first_day else ""},
            until=self.last_day.isoformat() if self.last_day else "",
            model=self.model,
            version=self.version,
            key=self.key,
        )


@dataclass(frozen=True, slots=True)
class ReadFilter:
    """The filter of an address, and the names of texts that say what in it was left out."""

    wanted: HistoryFilter
    faults: tuple[str, ...] = ()


def read_filter(query: Mapping[str, str]) -> ReadFilter:
    """What cannot be read is left out, and told."""
    first, last = _read_day(query.get("from", "")), _read_day(query.get("until", ""))
    faults = [
        fault
        for fault, is_bad in (
            ("from_unreadable", bool(query.get("from")) and first is None),
            ("until_unreadable", bool(query.get("until")) and last is None),
        )
        if is_bad
    ]
    wanted = HistoryFilter(
        first, last, *(query.get(name, "").strip() for name in ("model", "version", "key"))
    )
    if first and last and first > last:
        faults.append("from_after_until")
        wanted = replace(wanted, first_day=None, last_day=None)
    return ReadFilter(wanted, tuple(faults))


def _filled(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _read_day(text: str) -> date | None:
    """None for what is no day too."""
    try:
        return read_day(text)
    except NotADay:
        return None
