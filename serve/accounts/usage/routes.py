"""`/v1/usage` and `/v1/statements`: what an account used and what it came to, month by month."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Annotated, Literal

from fastapi import Query, Response

from billing.history.queries import fetch_balance
from billing.reports.statements import Statement, fetch_months, fetch_statement, is_complete
from billing.reports.usage import fetch_usage
from billing.reports.values import Group, Month, Span, Step
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.requests import Page
from serve.accounts.services import Services, ServicesDependency
from serve.accounts.usage.parameters import SpanDependency, invalid
from serve.accounts.usage.wire import (
    MonthView,
    StatementView,
    UsageReport,
    statement_view,
    usage_view,
)
from serve.refusals import Code, Refusal
from serve.wire import problem_responses

router = make_router(Access.READ, "usage")
operator_router = make_router(Access.OPERATOR, "usage")

By = Annotated[Literal["hour", "day", "month"], Query(description="How long a period is, UTC")]
Groups = Annotated[str, Query(description="Any of model, version, key, with commas between")]
Format = Annotated[Literal["json", "csv"], Query(alias="format")]


@router.get("/usage", summary="Use by period", responses=problem_responses(401, 422, 503))
async def read_usage(
    services: ServicesDependency,
    caller: CallerDependency,
    span: SpanDependency,
    by: By = "day",
    group: Groups = "",
) -> UsageReport:
    """Predictions, instances and credits by period, and by model, version or key if asked."""
    return await _usage(services, caller.account_id, span, by, group)


@router.get("/statements", summary="Months", responses=problem_responses(401, 503))
async def list_statements(
    services: ServicesDependency, caller: CallerDependency
) -> Page[MonthView]:
    """Every month since the account's first entry, the newest first; all on one page."""
    found = await fetch_months(services.database, caller.account_id, services.now())
    items = [
        MonthView(month=str(month), complete=is_complete(month, found.as_of))
        for month in found.months
    ]
    return Page(items=items)


@router.get(
    "/statements/{month}",
    summary="A month's statement",
    response_model=StatementView,
    responses=problem_responses(401, 404, 422, 503),
)
async def read_statement(
    services: ServicesDependency,
    caller: CallerDependency,
    month: str,
    format_: Format = "json",
) -> StatementView | Response:
    """Opening balance, sums by kind and model, closing balance. `month` as `2026-05`, UTC."""
    return await _statement(services, caller.account_id, month, format_)


@operator_router.get(
    "/accounts/{account_id}/usage",
    summary="An account's use by period",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def read_usage_of_account(
    services: ServicesDependency,
    account_id: uuid.UUID,
    span: SpanDependency,
    by: By = "day",
    group: Groups = "",
) -> UsageReport:
    """As the account itself reads it."""
    await fetch_balance(services.database, account_id)
    return await _usage(services, account_id, span, by, group)


@operator_router.get(
    "/accounts/{account_id}/statements/{month}",
    summary="An account's statement",
    response_model=StatementView,
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def read_statement_of_account(
    services: ServicesDependency,
    account_id: uuid.UUID,
    month: str,
    format_: Format = "json",
) -> StatementView | Response:
    """As the account itself reads it."""
    await fetch_balance(services.database, account_id)
    return await _statement(services, account_id, month, format_)


async def _usage(
    services: Services, account_id: uuid.UUID, span: Span, by: str, group: str
) -> UsageReport:
    try:
        groups = {Group(name) for name in group.split(",") if name}
    except ValueError:
        raise invalid("query/group", "`group` takes model, version and key.") from None
    usage = await fetch_usage(services.database, account_id, span, step=Step(by), groups=groups)
    return UsageReport(
        since=span.since,
        until=span.until,
        as_of=usage.as_of,
        rows=[usage_view(row) for row in usage.rows],
    )


async def _statement(
    services: Services, account_id: uuid.UUID, text: str, format_: str
) -> StatementView | Response:
    try:
        month = Month.parse(text)
    except ValueError as error:
        raise invalid("path/month", str(error)) from None
    if month.begin > services.now():
        raise Refusal(Code.NOT_FOUND, f"{month} has not begun.")
    statement = await fetch_statement(services.database, account_id, month)
    if format_ == "json":
        return statement_view(statement)
    name = f'attachment; filename="statement-{month}.csv"'
    return Response(_csv(statement), media_type="text/csv", headers={"Content-Disposition": name})


def _csv(statement: Statement) -> str:
    """A line a sum; charges and refunds of a model are parts of those kinds' lines."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("line", "name", "version", "count", "amount"))
    lines.writerow(("opening", statement.month, "", "", statement.opening))
    for kind in statement.kinds:
        lines.writerow(("kind", kind.kind, "", kind.entries, kind.amount))
    for each in statement.models:
        sums = each.sums
        lines.writerow(("charged", each.model, each.version, sums.predictions, -sums.charged))
        lines.writerow(("refunded", each.model, each.version, "", sums.refunded))
    lines.writerow(("closing", statement.month, "", "", statement.closing))
    return text.getvalue()
