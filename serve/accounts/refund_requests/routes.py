"""Refunds that users ask for: they ask and look, operators decide."""

from __future__ import annotations

import uuid
from typing import Annotated

import uuid_utils.compat
from fastapi import Query, Response

from billing.refund_requests.actions import accept_request, decline_request, request_refund
from billing.refund_requests.queries import fetch_request, fetch_requests
from billing.refund_requests.values import Decision, NewRequest, Status
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.refund_requests.wire import (
    AcceptBody,
    DeclineBody,
    NewRefundRequestBody,
    RefundRequestView,
)
from serve.accounts.requests import (
    NewId,
    Page,
    PageDependency,
    PageRequest,
    encode_cursor,
    mark_created,
    read_position,
)
from serve.accounts.services import Services, ServicesDependency
from serve.wire import problem_responses

router = make_router(Access.READ, "refund requests")
user_router = make_router(Access.USER, "refund requests")
operator_router = make_router(Access.OPERATOR, "refund requests", prefix="/v1/operator")

StatusFilter = Annotated[Status | None, Query(description="Only these")]


@user_router.post(
    "/predictions/{prediction_id}/refund-requests",
    status_code=201,
    summary="Ask for a refund",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def create_refund_request(
    *,
    prediction_id: uuid.UUID,
    body: NewRefundRequestBody,
    services: ServicesDependency,
    caller: CallerDependency,
    new_id: NewId,
    response: Response,
) -> RefundRequestView:
    """An operator decides. One request of a prediction is open at a time."""
    made = await request_refund(
        services.database,
        NewRequest(new_id, caller.account_id, prediction_id, body.reason),
        open_max=services.settings.refund_requests_open_max,
    )
    location = f"/accounts/v1/refund-requests/{made.thing.id}"
    mark_created(response, location, replayed=made.is_replay)
    return RefundRequestView.of(made.thing)


@router.get(
    "/refund-requests",
    summary="Refunds that were asked for",
    responses=problem_responses(401, 403, 422, 503),
)
async def list_refund_requests(
    services: ServicesDependency,
    caller: CallerDependency,
    page: PageDependency,
    status: StatusFilter = None,
) -> Page[RefundRequestView]:
    """One's own, newest first."""
    return await _list(services, page, status, caller.account_id)


@router.get(
    "/refund-requests/{request_id}",
    summary="One refund request",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def read_refund_request(
    request_id: uuid.UUID, services: ServicesDependency, caller: CallerDependency
) -> RefundRequestView:
    """How it stands."""
    request = await fetch_request(services.database, request_id, caller.account_id)
    return RefundRequestView.of(request)


@operator_router.get(
    "/refund-requests",
    summary="Everybody's refund requests",
    responses=problem_responses(401, 403, 422, 503),
)
async def list_all_refund_requests(
    services: ServicesDependency,
    page: PageDependency,
    status: StatusFilter = None,
    account_id: Annotated[uuid.UUID | None, Query(description="Of this account")] = None,
) -> Page[RefundRequestView]:
    """Newest first; `status=open` are those that wait for a decision."""
    return await _list(services, page, status, account_id)


@operator_router.get(
    "/refund-requests/{request_id}",
    summary="Anybody's refund request",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def read_any_refund_request(
    request_id: uuid.UUID, services: ServicesDependency
) -> RefundRequestView:
    """How it stands."""
    return RefundRequestView.of(await fetch_request(services.database, request_id))


@operator_router.post(
    "/refund-requests/{request_id}/accept",
    summary="Refund what was asked for",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def accept_refund_request(
    request_id: uuid.UUID,
    body: AcceptBody,
    services: ServicesDependency,
    caller: CallerDependency,
) -> RefundRequestView:
    """All that is left of the charge or a part, as `POST /predictions/{id}/refunds` does. The
    user reads the reason. A request is decided once: 409 tells of the first decision."""
    request = await accept_request(
        services.database,
        caller.actor,
        request_id,
        body.amount,
        Decision(services.now(), body.reason, uuid_utils.compat.uuid7()),
        grace=services.settings.refund_grace,
    )
    return RefundRequestView.of(request)


@operator_router.post(
    "/refund-requests/{request_id}/decline",
    summary="Decline a refund",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def decline_refund_request(
    request_id: uuid.UUID,
    body: DeclineBody,
    services: ServicesDependency,
    caller: CallerDependency,
) -> RefundRequestView:
    """Nothing is given back. The user reads the reason, and may ask again."""
    decision = Decision(services.now(), body.reason)
    request = await decline_request(services.database, caller.actor, request_id, decision)
    return RefundRequestView.of(request)


async def _list(
    services: Services, page: PageRequest, status: Status | None, account_id: uuid.UUID | None
) -> Page[RefundRequestView]:
    found = await fetch_requests(
        services.database,
        account_id=account_id,
        status=status,
        after=read_position(page),
        limit=page.limit + 1,
    )
    items = found[: page.limit]
    has_more = len(found) > page.limit
    return Page(
        items=[RefundRequestView.of(request) for request in items],
        next_cursor=encode_cursor(items[-1].created_at, items[-1].id) if has_more else None,
    )
