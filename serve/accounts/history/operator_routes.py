"""`/v1/accounts/{account_id}/...`: operators read the history of any account."""

from __future__ import annotations

import uuid

from fastapi import Response

from serve.accounts.access import Access, make_router
from serve.accounts.history.exports import FILE_RESPONSES, FormatDependency
from serve.accounts.history.listing import ENTRY_LISTING, PREDICTION_LISTING, answer_list
from serve.accounts.history.parameters import EntryFilterDependency, FilterDependency
from serve.accounts.history.routes import view_balance
from serve.accounts.history.wire import BalanceView, EntryView, PredictionView
from serve.accounts.requests import Page, PageDependency
from serve.accounts.services import ServicesDependency
from serve.wire import problem_responses

router = make_router(Access.OPERATOR, "accounts")

_LIST_RESPONSES = problem_responses(401, 403, 404, 422, 429, 503) | FILE_RESPONSES


@router.get(
    "/accounts/{account_id}/balance",
    summary="An account's credits of now",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def read_account_balance(services: ServicesDependency, account_id: uuid.UUID) -> BalanceView:
    """As the account itself reads it at `/v1/balance`."""
    return await view_balance(services, account_id)


@router.get(
    "/accounts/{account_id}/entries",
    summary="An account's movements of credits",
    response_model=Page[EntryView],
    responses=_LIST_RESPONSES,
)
async def list_account_entries(
    services: ServicesDependency,
    account_id: uuid.UUID,
    wanted: EntryFilterDependency,
    page: PageDependency,
    form: FormatDependency,
) -> Page[EntryView] | Response:
    """As the account itself reads them at `/v1/entries`."""
    return await answer_list(services, account_id, ENTRY_LISTING, wanted, page=page, form=form)


@router.get(
    "/accounts/{account_id}/predictions",
    summary="What an account asked and paid for",
    response_model=Page[PredictionView],
    responses=_LIST_RESPONSES,
)
async def list_account_predictions(
    services: ServicesDependency,
    account_id: uuid.UUID,
    wanted: FilterDependency,
    page: PageDependency,
    form: FormatDependency,
) -> Page[PredictionView] | Response:
    """As the account itself reads them at `/v1/predictions`."""
    return await answer_list(services, account_id, PREDICTION_LISTING, wanted, page=page, form=form)
