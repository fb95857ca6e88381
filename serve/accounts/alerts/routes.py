"""`/v1/alerts`: be told when the balance falls below a level."""

from __future__ import annotations

import uuid

from fastapi import Response

from billing.alerts.actions import NewAlert, create_alert, delete_alert
from billing.alerts.queries import fetch_alert, fetch_alerts
from billing.alerts.values import make_secret
from billing.outbox.queries import fetch_deliveries
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.alerts.wire import AlertRequest, AlertView, DeliveryView, NewAlertView
from serve.accounts.outbox.urls import read_url
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

router = make_router(Access.USER, "alerts")


@router.post(
    "/alerts",
    status_code=201,
    summary="Make an alert",
    responses=problem_responses(401, 403, 409, 422, 503),
)
async def make_alert(
    body: AlertRequest,
    services: ServicesDependency,
    caller: CallerDependency,
    new_id: NewId,
    response: Response,
) -> NewAlertView:
    """The balance is watched from now on. The answer alone shows the signing secret."""
    settings = services.settings
    _check_url(body.url, allow_http=settings.webhook_allow_http)
    created = await create_alert(
        services.database,
        NewAlert(new_id, caller.account_id, body.level, body.url, make_secret()),
        alerts_max=settings.alerts_per_account_max,
        now=services.now(),
    )
    alert = created.alert
    mark_created(response, f"/accounts/v1/alerts/{alert.id}", replayed=created.replayed)
    return NewAlertView(**dict(AlertView.of(alert)), secret=alert.secret)


@router.get("/alerts", summary="All alerts", responses=problem_responses(401, 403, 422, 503))
async def list_alerts(
    services: ServicesDependency, caller: CallerDependency, page: PageDependency
) -> Page[AlertView]:
    """Newest first."""
    found = await fetch_alerts(
        services.database, caller.account_id, limit=page.limit + 1, after=read_position(page)
    )
    shown = found[: page.limit]
    cursor = None
    if len(found) > page.limit:
        cursor = encode_cursor(shown[-1].created_at, str(shown[-1].id))
    return Page(items=[AlertView.of(alert) for alert in shown], next_cursor=cursor)


@router.get(
    "/alerts/{alert_id}", summary="One alert", responses=problem_responses(401, 403, 404, 422, 503)
)
async def read_alert(
    alert_id: uuid.UUID, services: ServicesDependency, caller: CallerDependency
) -> AlertView:
    """Without its secret."""
    return AlertView.of(await fetch_alert(services.database, caller.account_id, alert_id))


@router.delete(
    "/alerts/{alert_id}",
    status_code=204,
    summary="End an alert",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def end_alert(
    alert_id: uuid.UUID, services: ServicesDependency, caller: CallerDependency
) -> None:
    """What was not delivered yet is given up."""
    await delete_alert(services.database, caller.account_id, alert_id, now=services.now())


@router.get(
    "/alerts/{alert_id}/deliveries",
    summary="What became of an alert's events",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def list_deliveries(
    alert_id: uuid.UUID,
    services: ServicesDependency,
    caller: CallerDependency,
    page: PageDependency,
) -> Page[DeliveryView]:
    """Newest first; those that ended long ago are gone."""
    after = read_position(page)
    await fetch_alert(services.database, caller.account_id, alert_id)
    found = await fetch_deliveries(
        services.database, caller.account_id, alert_id, limit=page.limit + 1, after=after
    )
    shown = found[: page.limit]
    cursor = None
    if len(found) > page.limit:
        cursor = encode_cursor(shown[-1].created_at, str(shown[-1].id))
    return Page(items=[DeliveryView.of(delivery) for delivery in shown], next_cursor=cursor)


def _check_url(url: str, *, allow_http: bool) -> None:
    try:
        read_url(url, allow_http=allow_http)
    except ValueError as error:
        fault = Fault("/url", str(error))
        raise Refusal(
            Code.INVALID_REQUEST, "The alert's URL is not one that is taken.", None, (fault,)
        ) from error
