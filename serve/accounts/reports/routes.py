"""`/v1/reports/...`: how the service does over all accounts, for its operators."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query

from billing.posting import Kind
from billing.reports.latency import lower_bound_seconds
from billing.reports.service import (
    AccountOrder,
    Quantiles,
    fetch_latency,
    fetch_models,
    fetch_summary,
    fetch_top_accounts,
)
from billing.reports.timeline import Period, fetch_timeline
from billing.reports.values import DAY, HOUR, Span, Step
from serve.accounts.access import Access, make_router
from serve.accounts.reports.wire import (
    AccountsReport,
    AccountUse,
    BucketView,
    LatencyReport,
    ModelRevenue,
    ModelsReport,
    PeriodView,
    SummaryReport,
    TimelineReport,
    latency_view,
    milliseconds,
    requests_view,
)
from serve.accounts.services import ServicesDependency
from serve.accounts.usage.parameters import SpanDependency
from serve.accounts.usage.wire import model_view, sums_of
from serve.refusals import Code, Refusal
from serve.request_counts import ANSWERED
from serve.wire import problem_responses

router = make_router(Access.OPERATOR, "reports")

_RESPONSES = problem_responses(401, 403, 422, 503)
_STEPS = {Step.MINUTE: timedelta(minutes=1), Step.HOUR: HOUR, Step.DAY: DAY}
_PERIODS_MAX = 3_000


def _about(span: Span, as_of: datetime) -> dict[str, Any]:
    return {"since": span.since, "until": span.until, "as_of": as_of}


@router.get("/reports/summary", summary="How the service did", responses=_RESPONSES)
async def read_summary(services: ServicesDependency, span: SpanDependency) -> SummaryReport:
    """Predictions, credits, requests, refusals by code, latency and active accounts."""
    summary = await fetch_summary(services.database, span)
    requests = requests_view(summary.requests)
    total = requests.total
    return SummaryReport.model_validate(
        {
            **_about(span, summary.as_of),
            **sums_of(summary.sums),
            "sold": summary.amount(Kind.TOP_UP),
            "granted": summary.amount(Kind.GRANT),
            "expired": -summary.amount(Kind.EXPIRY),
            "active_accounts": summary.active_accounts,
            "requests": requests,
            "success_rate": requests.answered / total if total else None,
            "error_rate": requests.failed / total if total else None,
            "refusals": {
                name: count for name, count in summary.requests.items() if name not in ANSWERED
            },
            "latency": latency_view(summary.latency),
        }
    )


@router.get("/reports/timeline", summary="Period by period", responses=_RESPONSES)
async def read_timeline(
    services: ServicesDependency,
    span: SpanDependency,
    by: Annotated[Literal["minute", "hour", "day"], Query(description="UTC")] = "hour",
) -> TimelineReport:
    """Predictions, credits, requests by outcome and latency. Minutes are kept for a day or so."""
    step = _STEPS[Step(by)]
    whole = span.outward(step)
    if (whole.until - whole.since) / step > _PERIODS_MAX:
        raise Refusal(Code.REPORT_TOO_LARGE, f"At most {_PERIODS_MAX} periods: ask for fewer.")
    timeline = await fetch_timeline(services.database, whole, step)
    return TimelineReport(
        **_about(whole, timeline.as_of), periods=[_period(each) for each in timeline.periods]
    )


def _period(period: Period) -> PeriodView:
    sums = period.sums
    return PeriodView(
        period=period.begin,
        predictions=sums.predictions if sums else None,
        charged=sums.charged if sums else None,
        refunded=sums.refunded if sums else None,
        requests=requests_view(period.requests),
        latency=latency_view(period.latency),
    )


@router.get("/reports/models", summary="Revenue by model and version", responses=_RESPONSES)
async def read_models(services: ServicesDependency, span: SpanDependency) -> ModelsReport:
    """The best paid first."""
    models, as_of = await fetch_models(services.database, span)
    return ModelsReport(
        **_about(span, as_of),
        models=[
            ModelRevenue(**dict(model_view(each)), revenue=each.sums.charged - each.sums.refunded)
            for each in models
        ],
    )


@router.get("/reports/accounts", summary="Top accounts", responses=_RESPONSES)
async def read_accounts(
    services: ServicesDependency,
    span: SpanDependency,
    top: Annotated[int, Query(ge=1, le=500, description="How many")] = 20,
    order: Annotated[AccountOrder, Query(description="By what")] = AccountOrder.CHARGED,
) -> AccountsReport:
    """Over the whole days UTC around the time asked for."""
    days = span.outward(DAY)
    accounts, as_of = await fetch_top_accounts(services.database, days, order, top)
    return AccountsReport(
        **_about(days, as_of),
        accounts=[
            AccountUse.model_validate({"account_id": each.account_id, **sums_of(each.sums)})
            for each in accounts
        ],
    )


@router.get("/reports/latency", summary="Latencies of answers", responses=_RESPONSES)
async def read_latency(services: ServicesDependency, span: SpanDependency) -> LatencyReport:
    """Quantiles and the histogram that they are from."""
    buckets, as_of = await fetch_latency(services.database, span)
    return LatencyReport(
        **_about(span, as_of),
        latency=latency_view(Quantiles.of(buckets)),
        buckets=[
            BucketView(
                from_ms=milliseconds(lower_bound_seconds(bucket)),
                to_ms=milliseconds(lower_bound_seconds(bucket + 1)),
                requests=requests,
            )
            for bucket, requests in buckets.items()
        ],
    )
