"""Refunds of predictions: operators make them, the account reads them."""

from __future__ import annotations

import uuid

from fastapi import Response

from billing.refunds.actions import refund_prediction
from billing.refunds.queries import fetch_refund, fetch_refunds
from billing.refunds.values import NewRefund
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.refunds.wire import NewRefundBody, RefundView
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

router = make_router(Access.READ, "refunds")
operator_router = make_router(Access.OPERATOR, "refunds")


@router.get(
    "/predictions/{prediction_id}/refunds",
    summary="What was given back of a prediction",
    responses=problem_responses(401, 404, 422, 503),
)
async def list_refunds(
    services: ServicesDependency,
    caller: CallerDependency,
    prediction_id: uuid.UUID,
    page: PageDependency,
) -> Page[RefundView]:
    """Newest first."""
    return await _list(services, caller.account_id, prediction_id, page)


@operator_router.post(
    "/predictions/{prediction_id}/refunds",
    status_code=201,
    summary="Give back what a prediction cost",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def create_refund(
    *,
    services: ServicesDependency,
    caller: CallerDependency,
    prediction_id: uuid.UUID,
    body: NewRefundBody,
    refund_id: NewId,
    response: Response,
) -> RefundView:
    """Whole or in part, never above the charge; to credits like those that had paid it."""
    made = await refund_prediction(
        services.database,
        caller.actor,
        NewRefund(refund_id, prediction_id, body.amount, body.reason),
        now=services.now(),
        grace=services.settings.refund_grace,
    )
    account_id = made.thing.account_id
    location = f"/accounts/v1/accounts/{account_id}/predictions/{prediction_id}/refunds/{refund_id}"
    mark_created(response, location, replayed=made.is_replay)
    return RefundView.of(made.thing)


@operator_router.get(
    "/accounts/{account_id}/predictions/{prediction_id}/refunds",
    summary="What was given back of an account's prediction",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def list_account_refunds(
    services: ServicesDependency,
    account_id: uuid.UUID,
    prediction_id: uuid.UUID,
    page: PageDependency,
) -> Page[RefundView]:
    """Newest first."""
    return await _list(services, account_id, prediction_id, page)


@operator_router.get(
    "/accounts/{account_id}/predictions/{prediction_id}/refunds/{refund_id}",
    summary="One refund",
    responses=problem_responses(401, 403, 404, 503),
)
async def read_refund(
    services: ServicesDependency,
    account_id: uuid.UUID,
    prediction_id: uuid.UUID,
    refund_id: uuid.UUID,
) -> RefundView:
    """As it was made."""
    refund = await fetch_refund(services.database, account_id, prediction_id, refund_id)
    return RefundView.of(refund)


async def _list(
    services: Services, account_id: uuid.UUID, prediction_id: uuid.UUID, page: PageRequest
) -> Page[RefundView]:
    found = await fetch_refunds(
        services.database,
        account_id,
        prediction_id,
        limit=page.limit + 1,
        before=read_position(page),
    )
    items = [RefundView.of(refund) for refund in found[: page.limit]]
    last = items[-1] if len(found) > page.limit else None
    cursor = encode_cursor(last.created_at, str(last.id)) if last is not None else None
    return Page(items=items, next_cursor=cursor)
