"""The query parameters that filter a history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AfterValidator, AwareDatetime

from billing.history.values import Filter
from billing.posting import Kind

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def _within_reach(time: datetime) -> datetime:
    """Where nothing happens, one time is as good as another; a margin must fit round it."""
    return min(max(time, _EARLIEST), _LATEST)


_Time = Annotated[AwareDatetime, AfterValidator(_within_reach)]


def _word(description: str) -> object:
    return Query(min_length=1, max_length=64, pattern="^[!-~]+$", description=description)


async def _filter(
    since: Annotated[_Time | None, Query(description="From this time on (RFC 3339)")] = None,
    until: Annotated[_Time | None, Query(description="Before this time (RFC 3339)")] = None,
    model: Annotated[str | None, _word("Charges for this model")] = None,
    version: Annotated[str | None, _word("Charges for this version")] = None,
    key: Annotated[
        str | None, _word("Charges by the API key of this id; `session`: by signed-in users")
    ] = None,
) -> Filter:
    return Filter(since=since, until=until, model=model, version=version, key_id=key)


FilterDependency = Annotated[Filter, Depends(_filter)]
"""Times, model, version and key."""


async def _entry_filter(
    wanted: FilterDependency,
    kind: Annotated[
        list[Kind] | None, Query(description="Entries of this kind; may be given again")
    ] = None,
) -> Filter:
    return replace(wanted, kinds=frozenset(kind)) if kind else wanted


EntryFilterDependency = Annotated[Filter, Depends(_entry_filter)]
"""The same and kinds."""
