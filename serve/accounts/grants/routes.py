"""Grants: what an account was given, what is left of it, and what it paid."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Path, Response

from billing.grants.actions import Gift, adjust_balance, give_grant
from billing.grants.queries import (
    fetch_adjustment,
    fetch_entry_uses,
    fetch_grant,
    fetch_grants,
)
from billing.grants.settling import catch_up
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.grants.wire import (
    AdjustmentView,
    EntryGrantsView,
    GrantView,
    NewAdjustmentBody,
    NewGrantBody,
)
from serve.accounts.requests import (
    NewId,
    Page,
    PageDependency,
    PageRequest,
    bad_cursor,
    encode_cursor,
    mark_created,
)
from serve.accounts.services import Services, ServicesDependency
from serve.refusals import Code, Fault, Refusal
from serve.wire import problem_responses

router = make_router(Access.READ, "grants")
operator_router = make_router(Access.OPERATOR, "grants")

_CHUNKS_MAX = 4
"""A read settles so much before it answers; more waits for the chore."""

SEQUENCE_MAX = 2**63 - 1


@router.get("/grants", summary="Your grants", responses=problem_responses(401, 422, 503))
async def list_grants(
    services: ServicesDependency, caller: CallerDependency, page: PageDependency
) -> Page[GrantView]:
    """Newest first, with what is left of each."""
    return await _list(services, caller.account_id, page)


@router.get(
    "/grants/{grant_id}", summary="One of your grants", responses=problem_responses(401, 404, 503)
)
async def read_grant(
    services: ServicesDependency, caller: CallerDependency, grant_id: uuid.UUID
) -> GrantView:
    """With what is left of it."""
    await catch_up(services.database, caller.account_id, chunks_max=_CHUNKS_MAX)
    return GrantView.of(await fetch_grant(services.database, caller.account_id, grant_id))


@router.get(
    "/entries/{sequence}/grants",
    summary="Which grants paid an entry",
    responses=problem_responses(401, 404, 503),
)
async def read_entry_grants(
    services: ServicesDependency,
    caller: CallerDependency,
    sequence: Annotated[int, Path(ge=1, le=SEQUENCE_MAX)],
) -> EntryGrantsView:
    """None for an entry that brought credits, or cost nothing."""
    await catch_up(services.database, caller.account_id, chunks_max=_CHUNKS_MAX)
    return EntryGrantsView.of(
        await fetch_entry_uses(services.database, caller.account_id, sequence)
    )


@operator_router.post(
    "/grants",
    status_code=201,
    summary="Give credits away",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def create_grant(
    services: ServicesDependency,
    caller: CallerDependency,
    body: NewGrantBody,
    grant_id: NewId,
    response: Response,
) -> GrantView:
    """They burn before what was paid for."""
    if body.expires_at is not None and body.expires_at <= services.now():
        fault = Fault("/expires_at", "This time has passed.")
        raise Refusal(Code.INVALID_REQUEST, "A grant expires later than now.", None, (fault,))
    gift = Gift(grant_id, body.account_id, body.amount, body.reason, body.priority, body.expires_at)
    made = await give_grant(services.database, caller.actor, gift)
    location = f"/accounts/v1/accounts/{body.account_id}/grants/{grant_id}"
    mark_created(response, location, replayed=made.is_replay)
    return GrantView.of(made.thing)


@operator_router.get(
    "/accounts/{account_id}/grants",
    summary="An account's grants",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def list_account_grants(
    services: ServicesDependency, account_id: uuid.UUID, page: PageDependency
) -> Page[GrantView]:
    """Newest first, with what is left of each."""
    return await _list(services, account_id, page)


@operator_router.get(
    "/accounts/{account_id}/grants/{grant_id}",
    summary="One of an account's grants",
    responses=problem_responses(401, 403, 404, 503),
)
async def read_account_grant(
    services: ServicesDependency, account_id: uuid.UUID, grant_id: uuid.UUID
) -> GrantView:
    """With what is left of it, as far as is settled."""
    return GrantView.of(await fetch_grant(services.database, account_id, grant_id))


@operator_router.post(
    "/accounts/{account_id}/adjustments",
    status_code=201,
    summary="Put a balance right",
    responses=problem_responses(401, 402, 403, 404, 409, 422, 503),
)
async def create_adjustment(
    *,
    services: ServicesDependency,
    caller: CallerDependency,
    account_id: uuid.UUID,
    body: NewAdjustmentBody,
    adjustment_id: NewId,
    response: Response,
) -> AdjustmentView:
    """Credits that are held or spent cannot be taken."""
    made = await adjust_balance(
        services.database,
        caller.actor,
        account_id,
        adjustment_id=adjustment_id,
        amount=body.amount,
        reason=body.reason,
    )
    location = f"/accounts/v1/accounts/{account_id}/adjustments/{adjustment_id}"
    mark_created(response, location, replayed=made.is_replay)
    return AdjustmentView.of(made.thing)


@operator_router.get(
    "/accounts/{account_id}/adjustments/{adjustment_id}",
    summary="One adjustment",
    responses=problem_responses(401, 403, 404, 503),
)
async def read_adjustment(
    services: ServicesDependency, account_id: uuid.UUID, adjustment_id: uuid.UUID
) -> AdjustmentView:
    """As it was made."""
    return AdjustmentView.of(await fetch_adjustment(services.database, account_id, adjustment_id))


async def _list(services: Services, account_id: uuid.UUID, page: PageRequest) -> Page[GrantView]:
    before = _read_cursor(page.after)
    # An account that is missing has nothing to settle; the query says so.
    await catch_up(services.database, account_id, chunks_max=_CHUNKS_MAX)
    found = await fetch_grants(services.database, account_id, limit=page.limit + 1, before=before)
    items = [GrantView.of(grant) for grant in found[: page.limit]]
    last = items[-1] if len(found) > page.limit else None
    cursor = encode_cursor(last.sequence, str(last.id)) if last is not None else None
    return Page(items=items, next_cursor=cursor)


def _read_cursor(after: list[object] | None) -> tuple[int, uuid.UUID] | None:
    match after:
        case None:
            return None
        case [int(sequence), str(text)] if 0 <= sequence <= SEQUENCE_MAX:
            try:
                return sequence, uuid.UUID(text)
            except ValueError:
                raise bad_cursor() from None
    raise bad_cursor()
