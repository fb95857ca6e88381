"""What routes share: ids that make a POST safe to repeat, and pages of a list."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar

import orjson
import uuid_utils.compat
from fastapi import Depends, Header, Query, Request, Response
from pydantic import Field

from billing.charges import make_charge_id
from serve.accounts.access import CallerDependency
from serve.idempotency import IdempotencyKey
from serve.refusals import Code, Fault, Refusal
from serve.wire import Wire, to_utc

Item = TypeVar("Item")
PAGE_ITEMS_MAX = 500


async def _request_id(
    request: Request,
    caller: CallerDependency,
    idempotency_key: Annotated[
        str | None, Header(description="Makes it safe to send the same request again")
    ] = None,
) -> uuid.UUID:
    if idempotency_key is None:
        return uuid_utils.compat.uuid7()
    key = IdempotencyKey.from_header(idempotency_key.encode("latin-1"))
    return make_charge_id(caller.account_id, request.url.path, key.text)


NewId = Annotated[uuid.UUID, Depends(_request_id)]
"""The id of what a POST makes: the same for the same caller, path and Idempotency-Key."""


def mark_created(response: Response, location: str, *, replayed: bool = False) -> None:
    """Name where the new thing is; say so where it was made by an earlier, equal request."""
    response.headers["Location"] = location
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"


class Page(Wire, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next_cursor: str | None = Field(
        default=None, description="Send it as `cursor` for what follows; null at the end"
    )


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is asked for."""

    limit: int
    after: list[object] | None
    """What `next_cursor` was made from; None for the beginning."""


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX, description="Items on a page")] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit, decode_cursor(cursor) if cursor is not None else None)


PageDependency = Annotated[PageRequest, Depends(_page_request)]


def encode_cursor(*parts: object) -> str:
    """An opaque text of plain JSON values, of UUIDs and of times."""
    return base64.urlsafe_b64encode(orjson.dumps(parts, default=_plain)).decode().rstrip("=")


def _plain(value: object) -> str:
    """The driver's UUIDs are of a subclass that orjson does not take."""
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot stand in a cursor")


def decode_cursor(cursor: str) -> list[object]:
    """The inverse; a Refusal with INVALID_REQUEST for what is no cursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        parts = None
    if not isinstance(parts, list) or any(isinstance(part, bool) for part in parts):
        raise bad_cursor()  # to Python, true is a number
    return parts


def read_position(page: PageRequest) -> tuple[datetime, uuid.UUID] | None:
    """Time and id of the last item seen, where a list is ordered by them."""
    match page.after:
        case None:
            return None
        case [str(time), str(id_)]:
            try:
                return to_utc(datetime.fromisoformat(time)), uuid.UUID(id_)
            except ValueError:
                pass
    raise bad_cursor()


def bad_cursor() -> Refusal:
    """The cursor is not one of this list's."""
    fault = Fault("query/cursor", "Not a cursor: send `next_cursor` of the page before as it was.")
    return Refusal(Code.INVALID_REQUEST, "The request is not as it should be.", None, (fault,))


def uuid_after(page: PageRequest) -> uuid.UUID | None:
    """The id that the page begins behind, in a list whose cursors are ids."""
    if page.after is None:
        return None
    match page.after:
        case [str() as text]:
            try:
                return uuid.UUID(text)
            except ValueError:
                pass
    raise bad_cursor()
