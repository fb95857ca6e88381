"""`/v1/balance`, `/v1/entries`, `/v1/predictions`: an account reads its own history."""

from __future__ import annotations

import uuid

import orjson
from fastapi import Response

from billing.history.queries import fetch_balance, fetch_prediction
from billing.history.values import Prediction, StoredAnswer
from models.errors import ModelError
from models.registry import Catalog
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.history.exports import FILE_RESPONSES, FormatDependency
from serve.accounts.history.inputs import name_inputs
from serve.accounts.history.listing import ENTRY_LISTING, PREDICTION_LISTING, answer_list
from serve.accounts.history.parameters import EntryFilterDependency, FilterDependency
from serve.accounts.history.wire import BalanceView, EntryView, PredictionDetail, PredictionView
from serve.accounts.requests import Page, PageDependency
from serve.accounts.services import Services, ServicesDependency
from serve.predictions import predictions_json
from serve.refusals import Code, Refusal
from serve.wire import problem_responses

router = make_router(Access.READ, "history")

_LIST_RESPONSES = problem_responses(401, 422, 429, 503) | FILE_RESPONSES


@router.get("/balance", summary="Credits of now", responses=problem_responses(401, 503))
async def read_balance(services: ServicesDependency, caller: CallerDependency) -> BalanceView:
    """What was posted, what is held for work under way, and what can be spent."""
    return await view_balance(services, caller.account_id)


async def view_balance(services: Services, account_id: uuid.UUID) -> BalanceView:
    """The balance of now. Raises AccountMissing."""
    balance = await fetch_balance(services.database, account_id)
    return BalanceView(
        posted=balance.posted,
        held=balance.held,
        available=balance.available,
        owed=balance.owed,
    )


@router.get(
    "/entries",
    summary="Movements of credits",
    response_model=Page[EntryView],
    responses=_LIST_RESPONSES,
)
async def list_entries(
    services: ServicesDependency,
    caller: CallerDependency,
    wanted: EntryFilterDependency,
    page: PageDependency,
    form: FormatDependency,
) -> Page[EntryView] | Response:
    """Newest first; what arrives meanwhile never moves a later page.

    A page looks at 20,000 entries at most, so with filters it can be short or empty and yet have
    a `next_cursor`: the list is at its end when that is null, not before.
    """
    return await answer_list(
        services, caller.account_id, ENTRY_LISTING, wanted, page=page, form=form
    )


@router.get(
    "/predictions",
    summary="Requests that were answered and paid",
    response_model=Page[PredictionView],
    responses=_LIST_RESPONSES,
)
async def list_predictions(
    services: ServicesDependency,
    caller: CallerDependency,
    wanted: FilterDependency,
    page: PageDependency,
    form: FormatDependency,
) -> Page[PredictionView] | Response:
    """Newest first; pages as those of `/v1/entries`."""
    return await answer_list(
        services, caller.account_id, PREDICTION_LISTING, wanted, page=page, form=form
    )


@router.get(
    "/predictions/{id}",
    summary="One prediction, with its answer while that is stored",
    response_model_exclude_unset=True,  # an explanation that was not asked for is not there
    responses=problem_responses(401, 404, 422, 503),
)
async def read_prediction(
    services: ServicesDependency,
    caller: CallerDependency,
    id: uuid.UUID,  # noqa: A002 - the name in the path
) -> PredictionDetail:
    """What was asked, answered, paid and refunded. Free."""
    found = await fetch_prediction(services.database, caller.account_id, id)
    if found is None:
        raise Refusal(Code.NOT_FOUND, "There is no such prediction.")
    return _detail(services.catalog, *found)


def _detail(
    catalog: Catalog, prediction: Prediction, answer: StoredAnswer | None
) -> PredictionDetail:
    view = PredictionView.model_validate(prediction, from_attributes=True)
    predictions = None if answer is None else orjson.loads(predictions_json(answer.predictions))
    inputs = None if answer is None else _inputs(catalog, prediction, answer)
    return PredictionDetail(**dict(view), predictions=predictions, inputs=inputs)


def _inputs(
    catalog: Catalog, prediction: Prediction, answer: StoredAnswer
) -> list[list[str]] | None:
    try:
        manifest = catalog.look_up(prediction.model, prediction.version)
    except ModelError:
        return None
    return name_inputs(answer.inputs, prediction.instances, manifest.feature_schema)
