"""`/v1/holds`: credits set aside for work under way, captured or released when it ends."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Annotated

from fastapi import Query, Response

from billing.credits import ZERO, Credits
from billing.holds import actions
from billing.holds.errors import HoldMissing
from billing.holds.queries import fetch_hold, fetch_holds
from billing.holds.values import Hold, Status
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.holds.wire import CaptureRequest, HoldRequest, HoldView
from serve.accounts.requests import (
    NewId,
    Page,
    PageDependency,
    encode_cursor,
    mark_created,
    read_position,
)
from serve.accounts.services import ServicesDependency
from serve.refusals import Code, Fault, Refusal
from serve.wire import problem_responses

router = make_router(Access.USER, "holds")


@router.post(
    "/holds",
    status_code=201,
    summary="Set credits aside",
    responses=problem_responses(401, 402, 403, 422, 503),
)
async def create_hold(
    body: HoldRequest,
    services: ServicesDependency,
    caller: CallerDependency,
    new_id: NewId,
    response: Response,
) -> HoldView:
    """They cannot be spent otherwise until the hold is captured or released, or expires."""
    _check_positive(body.amount)
    seconds_max = services.settings.hold_seconds_max
    if body.lifetime_seconds > seconds_max:
        raise _fault("/lifetime_seconds", f"A hold lasts {seconds_max} seconds at most.")
    now = services.now()
    new = Hold(
        id=new_id,
        account_id=caller.account_id,
        amount=body.amount,
        reason=body.reason,
        created_at=now,
        expires_at=now + timedelta(seconds=body.lifetime_seconds),
    )
    hold, replayed = await actions.reserve(services.database, new)
    mark_created(response, f"/accounts/v1/holds/{hold.id}", replayed=replayed)
    return HoldView.of(hold)


@router.get("/holds", summary="Credits set aside", responses=problem_responses(401, 403, 422, 503))
async def list_holds(
    services: ServicesDependency,
    caller: CallerDependency,
    page: PageDependency,
    status: Annotated[Status | None, Query(description="Only these")] = None,
) -> Page[HoldView]:
    """Newest first."""
    found = await fetch_holds(
        services.database,
        caller.account_id,
        status=status,
        after=read_position(page),
        limit=page.limit + 1,
    )
    items = found[: page.limit]
    has_more = len(found) > page.limit
    return Page(
        items=[HoldView.of(hold) for hold in items],
        next_cursor=encode_cursor(items[-1].created_at, items[-1].id) if has_more else None,
    )


@router.get("/holds/{hold_id}", summary="One hold", responses=problem_responses(401, 403, 404, 503))
async def read_hold(
    hold_id: uuid.UUID, services: ServicesDependency, caller: CallerDependency
) -> HoldView:
    """How it stands."""
    hold = await fetch_hold(services.database, caller.account_id, hold_id)
    if hold is None:
        raise HoldMissing(f"there is no hold {hold_id}")
    return HoldView.of(hold)


@router.post(
    "/holds/{hold_id}/capture",
    summary="Spend what is held",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def capture_hold(
    hold_id: uuid.UUID,
    services: ServicesDependency,
    caller: CallerDependency,
    body: CaptureRequest | None = None,
) -> HoldView:
    """All of it or a part; the rest is given back. The same again is answered the same."""
    amount = body.amount if body is not None else None
    if amount is not None:
        _check_positive(amount)
    hold = await actions.capture(
        services.database, caller.account_id, hold_id, amount, services.now()
    )
    return HoldView.of(hold)


@router.post(
    "/holds/{hold_id}/release",
    summary="Give back what is held",
    responses=problem_responses(401, 403, 404, 409, 503),
)
async def release_hold(
    hold_id: uuid.UUID, services: ServicesDependency, caller: CallerDependency
) -> HoldView:
    """The same again is answered the same."""
    hold = await actions.release(services.database, caller.account_id, hold_id, services.now())
    return HoldView.of(hold)


def _check_positive(amount: Credits) -> None:
    if amount <= ZERO:
        raise _fault("/amount", "An amount above zero is needed.")


def _fault(pointer: str, detail: str) -> Refusal:
    return Refusal(
        Code.INVALID_REQUEST, "The request is not as it should be.", None, (Fault(pointer, detail),)
    )
