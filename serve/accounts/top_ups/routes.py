"""`/v1/topups`, `/v1/webhooks/{provider}` and, for operators, an account's debts."""

from __future__ import annotations

import uuid

import structlog
from fastapi import Request, Response

from billing.credits import Credits
from billing.history.queries import fetch_balance
from billing.top_ups.actions import apply_event, begin_top_up, store_checkout
from billing.top_ups.errors import ProviderUnavailable
from billing.top_ups.ports import PaymentProvider
from billing.top_ups.queries import fetch_debts, fetch_top_up, fetch_top_ups
from billing.top_ups.values import Status, TopUp, price_of
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.requests import (
    NewId,
    Page,
    PageDependency,
    encode_cursor,
    mark_created,
    read_position,
)
from serve.accounts.services import Services, ServicesDependency
from serve.accounts.settings import AccountsSettings
from serve.accounts.top_ups.returning import check_return_url
from serve.accounts.top_ups.wire import DebtView, TopUpRequest, TopUpView
from serve.refusals import Code, Fault, Refusal
from serve.wire import Status as Answer
from serve.wire import problem_responses

logger = structlog.get_logger(__name__)

router = make_router(Access.USER, "top-ups")
webhook_router = make_router(Access.PUBLIC, "top-ups")
operator_router = make_router(Access.OPERATOR, "accounts")


@router.post(
    "/topups",
    status_code=201,
    summary="Buy credits",
    responses=problem_responses(401, 403, 422, 503),
)
async def create_top_up(
    body: TopUpRequest,
    services: ServicesDependency,
    caller: CallerDependency,
    new_id: NewId,
    response: Response,
) -> TopUpView:
    """Open `checkout_url` in a browser to pay. After a 503, send it again with the same key."""
    provider = _provider(services)
    settings = services.settings
    _check_amount(body.credits, settings)
    _check_return_url(body.return_url, settings)
    new = TopUp(
        id=new_id,
        account_id=caller.account_id,
        provider=provider.name,
        amount=body.credits,
        price=price_of(body.credits, settings.credit_price_minor_units, settings.currency),
        created_at=services.now(),
        return_url=body.return_url,
    )
    top_up, replayed = await begin_top_up(services.database, new)
    if top_up.checkout_url is None and top_up.status is Status.PENDING:
        checkout = await provider.create_checkout(top_up)
        top_up = await store_checkout(services.database, top_up.id, checkout)
    mark_created(response, f"/accounts/v1/topups/{top_up.id}", replayed=replayed)
    return TopUpView.of(top_up)


@router.get("/topups", summary="Credits bought", responses=problem_responses(401, 403, 422, 503))
async def list_top_ups(
    services: ServicesDependency, caller: CallerDependency, page: PageDependency
) -> Page[TopUpView]:
    """Newest first."""
    found = await fetch_top_ups(
        services.database, caller.account_id, after=read_position(page), limit=page.limit + 1
    )
    items = found[: page.limit]
    has_more = len(found) > page.limit
    return Page(
        items=[TopUpView.of(top_up) for top_up in items],
        next_cursor=encode_cursor(items[-1].created_at, items[-1].id) if has_more else None,
    )


@router.get(
    "/topups/{top_up_id}", summary="One top-up", responses=problem_responses(401, 403, 404, 503)
)
async def read_top_up(
    top_up_id: uuid.UUID, services: ServicesDependency, caller: CallerDependency
) -> TopUpView:
    """Ask again until its status is no longer `pending`: the provider tells us by a webhook."""
    top_up = await fetch_top_up(services.database, caller.account_id, top_up_id)
    if top_up is None:
        raise Refusal(Code.NOT_FOUND, "There is no such top-up.")
    return TopUpView.of(top_up)


@webhook_router.post(
    "/webhooks/{provider}",
    summary="For payment providers",
    responses=problem_responses(400, 404, 409, 413, 503),
)
async def receive_webhook(provider: str, request: Request, services: ServicesDependency) -> Answer:
    """A signed event. 200 for one that was heard before and for one that does not concern us."""
    payments = services.payments
    if payments is None or payments.name != provider:
        raise Refusal(Code.NOT_FOUND, "No such payment provider is set up.")
    body = await request.body()
    event = await payments.read_event(request.headers, body, services.now())
    if event is not None:
        top_up = await apply_event(services.database, event, services.now())
        logger.info(
            "payment_event",
            provider=provider,
            event_id=event.event_id,
            kind=event.kind,
            top_up_id=str(event.top_up_id),
            status=top_up and top_up.status,
        )
    return Answer(status="received")


@operator_router.get(
    "/accounts/{account_id}/debts",
    summary="What chargebacks left owed",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def list_debts(
    account_id: uuid.UUID, services: ServicesDependency, page: PageDependency
) -> Page[DebtView]:
    """Newest first, those that are repaid too."""
    await fetch_balance(services.database, account_id)  # raises where there is no such account
    found = await fetch_debts(
        services.database, account_id, after=read_position(page), limit=page.limit + 1
    )
    items = found[: page.limit]
    has_more = len(found) > page.limit
    return Page(
        items=[DebtView.of(debt) for debt in items],
        next_cursor=encode_cursor(items[-1].created_at, items[-1].top_up_id) if has_more else None,
    )


def _provider(services: Services) -> PaymentProvider:
    if services.payments is None:
        raise ProviderUnavailable("no payment provider is set up")
    return services.payments


def _check_amount(amount: Credits, settings: AccountsSettings) -> None:
    least = Credits.parse(settings.top_up_credits_min)
    most = Credits.parse(settings.top_up_credits_max)
    if not max(least, Credits(1)) <= amount <= most:
        fault = Fault("/credits", f"A top-up has {least} to {most} credits.")
        raise Refusal(Code.INVALID_REQUEST, "The amount is out of bounds.", None, (fault,))


def _check_return_url(url: str | None, settings: AccountsSettings) -> None:
    if url is None:
        return
    try:
        check_return_url(url, settings.origins_returned_to)
    except ValueError as error:
        fault = Fault("/return_url", str(error))
        raise Refusal(
            Code.INVALID_REQUEST, "The return URL is not one that is taken.", None, (fault,)
        ) from error
