"""The two lists of an account's history, as SQL over a span of its entries.

Entries are read by their primary key alone, in spans of a bounded length, and the predictions
behind them one by one by theirs: the charge path pays for no index that only history would use.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from sqlalchemy import ColumnElement, Select, func, literal_column, select, true

from billing.credits import Credits
from billing.history.values import Entry, Filter, Item, Prediction, Span
from billing.posting import Kind
from billing.refunds.tables import refund_totals
from billing.tables import entries, predictions

# A subquery with an offset is left as it is: one look-up for each entry, however many the planner
# believes there are, and never a join with the whole table.
_LEFT_AS_IT_IS: ColumnElement[int] = literal_column("0")

_predicted = (
    select(
        predictions.c.model,
        predictions.c.version,
        predictions.c.key_id,
        predictions.c.instances,
        predictions.c.request_id,
        predictions.c.amount_microcredits,
    )
    .where(
        predictions.c.charge_id == entries.c.charge_id,
        predictions.c.account_id == entries.c.account_id,
    )
    .offset(_LEFT_AS_IT_IS)
    .lateral("predicted")
)

_refunded = (
    select(refund_totals.c.refunded_microcredits)
    .where(refund_totals.c.charge_id == entries.c.charge_id)
    .offset(_LEFT_AS_IT_IS)
    .lateral("refunded")
)


@dataclass(frozen=True, slots=True)
class HistoryList(Generic[Item]):
    """A list: its rows' query, and what a row stands for."""

    query: Select[Any]
    read: Callable[[Sequence[Any]], Item]

    def within(self, account_id: uuid.UUID, wanted: Filter, span: Span) -> Select[Any]:
        """What is wanted of the account's entries in the span, in no order."""
        query = self.query.where(
            entries.c.account_id == account_id,
            entries.c.sequence > span.after,
            entries.c.sequence <= span.last,
        )
        if wanted.since is not None:
            query = query.where(entries.c.created_at >= wanted.since)
        if wanted.until is not None:
            query = query.where(entries.c.created_at < wanted.until)
        if wanted.kinds is not None:
            query = query.where(entries.c.kind.in_(sorted(wanted.kinds)))
        for column, value in (
            (_predicted.c.model, wanted.model),
            (_predicted.c.version, wanted.version),
            (_predicted.c.key_id, wanted.key_id),
        ):
            if value is not None:
                query = query.where(column == value)
        return query


def _read_entry(row: Sequence[Any]) -> Entry:
    sequence, kind, amount, balance, *rest = row
    return Entry(sequence, Kind(kind), Credits(amount), Credits(balance), *rest)


def _read_prediction(row: Sequence[Any]) -> Prediction:
    charge_id, sequence, model, version, instances, amount, refunded, *rest = row
    return Prediction(
        charge_id, sequence, model, version, instances, Credits(amount), Credits(refunded), *rest
    )


ENTRIES = HistoryList(
    select(
        entries.c.sequence,
        entries.c.kind,
        entries.c.amount_microcredits,
        entries.c.balance_microcredits,
        entries.c.created_at,
        entries.c.charge_id,
        entries.c.source_id,
        entries.c.reason,
        _predicted.c.model,
        _predicted.c.version,
        _predicted.c.key_id,
        _predicted.c.instances,
        _predicted.c.request_id,
    ).select_from(entries.outerjoin(_predicted, true())),
    _read_entry,
)

PREDICTIONS = HistoryList(
    select(
        entries.c.charge_id,
        entries.c.sequence,
        _predicted.c.model,
        _predicted.c.version,
        _predicted.c.instances,
        _predicted.c.amount_microcredits,
        func.coalesce(_refunded.c.refunded_microcredits, 0),
        _predicted.c.key_id,
        _predicted.c.request_id,
        entries.c.created_at,
    )
    .select_from(entries.join(_predicted, true()).outerjoin(_refunded, true()))
    .where(entries.c.kind == Kind.CHARGE),
    _read_prediction,
)
"""Each prediction stands where its charge does."""
