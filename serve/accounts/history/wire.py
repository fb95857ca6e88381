"""Balance, entries and predictions as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import Field

from billing.posting import Kind
from serve.wire import Amount, Prediction, Wire


class BalanceView(Wire):
    """What an account has: `available` is what it can spend."""

    posted: Amount
    held: Amount
    available: Amount
    owed: Amount = Field(description="Of charged-back top-ups; the next top-up pays it first")


class EntryView(Wire):
    """A movement of credits. What was predicted, from `model` on, is null for all but charges."""

    sequence: int = Field(description="Counts the account's entries without a gap, from 1 on")
    kind: Kind
    amount: Amount = Field(description="Above zero: credits came in; below: they went out")
    balance: Amount = Field(description="What was posted right after this entry")
    created_at: datetime
    charge_id: uuid.UUID | None = Field(description="The id of the prediction that was paid")
    source_id: uuid.UUID | None = Field(
        description="Of the grant, top-up, refund or hold behind it"
    )
    reason: str | None
    model: str | None
    version: str | None
    key_id: str | None
    instances: int | None
    request_id: str | None


class PredictionView(Wire):
    """A request that was answered and paid."""

    id: uuid.UUID = Field(description="The charge id, as in the answer")
    sequence: int = Field(description="Of the entry that paid for it")
    model: str
    version: str
    instances: int
    amount: Amount = Field(description="Credits charged for all instances together")
    refunded: Amount = Field(description="What came back of it so far")
    key_id: str
    request_id: str
    created_at: datetime


class PredictionDetail(PredictionView):
    """One prediction with what was asked and answered, while that is stored (24 hours)."""

    predictions: list[Prediction] | None = Field(
        description="As answered, in the order of the instances; null once it was pruned"
    )
    inputs: list[list[str]] | None = Field(
        description="For each of the first 100 instances, the names of the features that were "
        "present; null once it was pruned, or when the model version is no longer known"
    )
