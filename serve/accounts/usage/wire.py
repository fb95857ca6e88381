"""Usage and statements as clients see them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from billing.reports.statements import ModelSum, Statement
from billing.reports.usage import Sums, UsageRow
from serve.wire import Amount, Wire

AS_OF = "Up to when entries are counted: now, but for a few seconds"


class SumsView(Wire):
    """Predictions and the credits for them."""

    predictions: int
    instances: int
    charged: Amount
    refunded: Amount


class UsageView(SumsView):
    """The use of one period; what it was not grouped by is null."""

    period: datetime = Field(description="When the period begins, UTC")
    model: str | None
    version: str | None
    key_id: str | None


class UsageReport(Wire):
    """Rows by time; periods without use have none."""

    since: datetime
    until: datetime
    as_of: datetime = Field(description=AS_OF)
    rows: list[UsageView]


class KindView(Wire):
    """All entries of one kind; below zero, credits left."""

    kind: str
    entries: int
    amount: Amount


class ModelView(SumsView):
    """All predictions by one version of a model."""

    model: str
    version: str


class StatementView(Wire):
    """`opening` and the amounts of `kinds` make `closing`."""

    month: str
    complete: bool = Field(description="The month is over and nothing will be added to it")
    as_of: datetime = Field(description=AS_OF)
    opening: Amount
    kinds: list[KindView]
    models: list[ModelView]
    closing: Amount


class MonthView(Wire):
    """A month that there is a statement of."""

    month: str
    complete: bool


def sums_of(sums: Sums) -> dict[str, object]:
    """The members of a SumsView."""
    return {
        "predictions": sums.predictions,
        "instances": sums.instances,
        "charged": sums.charged,
        "refunded": sums.refunded,
    }


def usage_view(row: UsageRow) -> UsageView:
    return UsageView.model_validate(
        {
            "period": row.period,
            "model": row.model,
            "version": row.version,
            "key_id": row.key_id,
            **sums_of(row.sums),
        }
    )


def model_view(each: ModelSum) -> ModelView:
    return ModelView.model_validate(
        {"model": each.model, "version": each.version, **sums_of(each.sums)}
    )


def statement_view(statement: Statement) -> StatementView:
    return StatementView(
        month=str(statement.month),
        complete=statement.is_complete,
        as_of=statement.as_of,
        opening=statement.opening,
        kinds=[
            KindView(kind=each.kind, entries=each.entries, amount=each.amount)
            for each in statement.kinds
        ],
        models=[model_view(each) for each in statement.models],
        closing=statement.closing,
    )
