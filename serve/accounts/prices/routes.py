"""`/v1/prices` and `/v1/quotes`: what an instance costs, and what a request would."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Response

from billing.directory import Directory
from billing.errors import IdempotencyConflict, PriceMissing
from billing.prices import Operation, Price, PriceTable, set_price
from models.errors import ModelError
from models.manifest import Manifest
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.prices.wire import PriceInEffect, PriceList, PriceRequest, PriceRule, Quote
from serve.accounts.requests import NewId, mark_created
from serve.accounts.services import Services, ServicesDependency
from serve.explained_predictions import check_explainable
from serve.refusals import Code, Fault, Refusal
from serve.settings import ValidatorConfig
from serve.translation import refusal_of
from serve.wire import problem_responses

public_router = make_router(Access.PUBLIC, "prices")
admin_router = make_router(Access.ADMIN, "prices")
quote_router = make_router(Access.READ, "prices")

_INSTANCES_MAX = ValidatorConfig().instances_max
_EXPLAINED_MAX = ValidatorConfig().explained_instances_max


@public_router.get("/prices", summary="Prices of now and to come", responses=problem_responses(503))
async def list_prices(services: ServicesDependency) -> PriceList:
    """Of each model version that can be asked; one without a price is left out."""
    table = await _fetch_table(services)
    found = [
        _price_in_effect(table, manifest, operation)
        for manifest in services.catalog.served
        for operation in Operation
        if operation is not Operation.EXPLAIN or manifest.can_explain
    ]
    return PriceList(
        in_effect=[price for price in found if price is not None],
        coming=[_view(price) for price in table.find_coming()],
    )


@admin_router.post(
    "/prices",
    status_code=201,
    summary="Set a price",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def create_price(
    body: PriceRequest,
    request_id: NewId,
    services: ServicesDependency,
    caller: CallerDependency,
    response: Response,
) -> PriceRule:
    """Requests already admitted keep their price; validators take up the new one within 1 s."""
    _find_model(services, body.model, body.version)
    now = services.now()
    if body.effective_from is not None and body.effective_from < now:
        fault = Fault("/effective_from", "The past has its prices: name a time to come.")
        detail = "The request is not as it should be; see `errors`."
        raise Refusal(Code.INVALID_REQUEST, detail, None, (fault,))
    since = body.effective_from or now
    price = Price(body.model, body.version, body.amount, since, body.operation)
    stored = await set_price(services.database, price, caller.actor, request_id=request_id)
    if body.effective_from not in (None, stored.effective_from):
        raise IdempotencyConflict("this request set a price from another moment on")
    mark_created(response, "/accounts/v1/prices", replayed=stored is not price)
    return _view(stored)


@quote_router.get(
    "/quotes",
    summary="What a request would cost",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def read_quote(
    services: ServicesDependency,
    model: Annotated[str, Query(description="Name of a model", examples=["android-malware"])],
    version: Annotated[str | None, Query(description="Left out: the newest")] = None,
    instances: Annotated[int, Query(ge=1, le=_INSTANCES_MAX)] = 1,
    explain: Annotated[bool, Query(description="With explanations")] = False,
) -> Quote:
    """Reckoned as a validator does when it admits the request; the price may change until then."""
    manifest = _find_model(services, model, version)
    if explain:
        check_explainable(manifest, instances, _EXPLAINED_MAX)
    table = await _fetch_table(services)
    each = table.price(manifest.name, manifest.version, 1)
    if explain:
        each += table.price(manifest.name, manifest.version, 1, Operation.EXPLAIN)
    return Quote(
        model=manifest.name,
        version=manifest.version,
        instances=instances,
        explain=explain,
        amount_each=each,
        amount=each * instances,
    )


async def _fetch_table(services: Services) -> PriceTable:
    directory = Directory(services.database, services.billing.key_hash_secret)
    return replace(await directory.fetch_prices(), now=services.now)


def _find_model(services: Services, name: str, version: str | None) -> Manifest:
    try:
        return services.catalog.find(name, version)
    except ModelError as error:
        raise refusal_of(error) from error


def _price_in_effect(
    table: PriceTable, manifest: Manifest, operation: Operation
) -> PriceInEffect | None:
    try:
        price = table.find(manifest.name, manifest.version, operation)
    except PriceMissing:
        return None
    return PriceInEffect(
        model=manifest.name,
        version=manifest.version,
        operation=operation,
        amount=price.amount,
        effective_from=price.effective_from,
    )


def _view(price: Price) -> PriceRule:
    return PriceRule(
        model=price.model,
        version=price.version,
        operation=price.operation,
        amount=price.amount,
        effective_from=price.effective_from,
    )
