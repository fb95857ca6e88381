"""One way to answer both lists, to their owner and to operators: as a page or as a file."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Response

from billing.history.lists import ENTRIES, PREDICTIONS, HistoryList
from billing.history.queries import fetch_part, fetch_span, stream_chunks
from billing.history.values import Entry, Filter, Item, Prediction
from serve.accounts.history.columns import ENTRY_COLUMNS, PREDICTION_COLUMNS, Column
from serve.accounts.history.exports import Format, send_file
from serve.accounts.history.wire import EntryView, PredictionView
from serve.accounts.requests import Page, PageRequest, bad_cursor, encode_cursor
from serve.accounts.services import Services
from serve.wire import Wire

View = TypeVar("View", bound=Wire)

_SEQUENCE_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item, View]):
    """A list, and how it looks."""

    name: str
    history: HistoryList[Item]
    view: type[View]
    columns: Sequence[Column]


ENTRY_LISTING: Listing[Entry, EntryView] = Listing("entries", ENTRIES, EntryView, ENTRY_COLUMNS)
PREDICTION_LISTING: Listing[Prediction, PredictionView] = Listing(
    "predictions", PREDICTIONS, PredictionView, PREDICTION_COLUMNS
)


async def answer_list(
    services: Services,
    account_id: uuid.UUID,
    listing: Listing[Item, View],
    wanted: Filter,
    *,
    page: PageRequest,
    form: Format,
) -> Page[View] | Response:
    """A page newest first, or all of it oldest first. Raises AccountMissing."""
    if form is not Format.JSON:
        return await _send_all(services, account_id, listing, wanted, form)
    part = await fetch_part(
        services.database,
        account_id,
        listing.history,
        wanted,
        before=_read_cursor(listing.name, page.after),
        limit=page.limit,
    )
    cursor = None if part.before is None else encode_cursor(listing.name, part.before)
    views = [listing.view.model_validate(item, from_attributes=True) for item in part.items]
    return Page(items=views, next_cursor=cursor)


async def _send_all(
    services: Services,
    account_id: uuid.UUID,
    listing: Listing[Item, View],
    wanted: Filter,
    form: Format,
) -> Response:
    """What is committed after this moment is left out."""
    span = await fetch_span(services.database, account_id, wanted)
    chunks = stream_chunks(services.database, account_id, listing.history, wanted, span)
    name = f"farebox-{listing.name}-{services.now():%Y%m%dT%H%M%SZ}"
    return send_file(form, name, listing.columns, chunks)


def _read_cursor(name: str, after: list[object] | None) -> int | None:
    """The sequence below which the page begins."""
    match after:
        case None:
            return None
        case [str(of), int(before)] if of == name and 0 < before <= _SEQUENCE_MAX:
            return before
    raise bad_cursor()
