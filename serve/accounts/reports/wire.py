"""Reports over all accounts as operators see them."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import Field

from billing.reports.service import Quantiles
from serve.accounts.usage.wire import AS_OF, ModelView, SumsView
from serve.errors import PROBLEMS
from serve.refusals import Code
from serve.request_counts import ANSWERED
from serve.wire import Amount, Wire

_SERVER_ERROR = 500


class Report(Wire):
    """Which time a report is about."""

    since: datetime
    until: datetime
    as_of: datetime = Field(description=AS_OF)


class LatencyView(Wire):
    """Milliseconds from a request's arrival to its answer, of answered requests; within 4.5 %."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


class RequestsView(Wire):
    """Scoring requests by how they ended; up to date but for about ten seconds."""

    total: int
    answered: int = Field(description="With a prediction: charged or replayed")
    refused: int = Field(description="With a 4xx")
    failed: int = Field(description="With a 5xx")


class SummaryReport(Report, SumsView):
    """How the service did."""

    sold: Amount = Field(description="Credits of top-ups")
    granted: Amount
    expired: Amount
    active_accounts: int = Field(description="With a prediction, on the whole days UTC")
    requests: RequestsView
    success_rate: float | None
    error_rate: float | None = Field(description="The share that failed by the server's fault")
    refusals: dict[str, int] = Field(description="By code")
    latency: LatencyView | None


class PeriodView(Wire):
    """One period. By the minute the ledger's sums are null."""

    period: datetime
    predictions: int | None
    charged: Amount | None
    refunded: Amount | None
    requests: RequestsView
    latency: LatencyView | None


class TimelineReport(Report):
    """Periods by time; those in which nothing happened are left out."""

    periods: list[PeriodView]


class ModelRevenue(ModelView):
    """A version of a model and what it brought."""

    revenue: Amount = Field(description="Charged less refunded")


class ModelsReport(Report):
    """The best paid first."""

    models: list[ModelRevenue]


class AccountUse(SumsView):
    """An account and what it used."""

    account_id: uuid.UUID


class AccountsReport(Report):
    """The top accounts, over whole days UTC."""

    accounts: list[AccountUse]


class BucketView(Wire):
    """Answered requests whose latency lies between."""

    from_ms: float
    to_ms: float
    requests: int


class LatencyReport(Report):
    """Quantiles and the buckets they are from; empty buckets are left out."""

    latency: LatencyView | None
    buckets: list[BucketView]


def latency_view(quantiles: Quantiles | None) -> LatencyView | None:
    if quantiles is None:
        return None
    return LatencyView(
        p50_ms=milliseconds(quantiles.p50),
        p95_ms=milliseconds(quantiles.p95),
        p99_ms=milliseconds(quantiles.p99),
    )


def milliseconds(seconds: float) -> float:
    """To a microsecond: the buckets are coarser by far."""
    return round(seconds * 1000, 3)


def requests_view(requests: dict[str, int]) -> RequestsView:
    """By class; an outcome that this version does not know counts as failed."""
    answered = sum(count for name, count in requests.items() if name in ANSWERED)
    refused = sum(count for name, count in requests.items() if _is_refusal(name))
    total = sum(requests.values())
    return RequestsView(
        total=total, answered=answered, refused=refused, failed=total - answered - refused
    )


def _is_refusal(outcome: str) -> bool:
    return outcome in set(Code) and PROBLEMS[Code(outcome)].status < _SERVER_ERROR
