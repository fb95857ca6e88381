"""Prices and quotes as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from billing.credits import ZERO, Credits
from billing.prices import Operation
from serve.wire import Amount, Moment, Wire


def _not_negative(amount: Credits) -> Credits:
    if amount < ZERO:
        raise ValueError("a price is zero or more")
    return amount


Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]

_OPERATION = "`explain` is paid beside `predict`, by requests that ask for explanations"


class PriceInEffect(Wire):
    """What an instance of one model version costs now."""

    model: str
    version: str
    operation: Operation = Field(description=_OPERATION)
    amount: Amount
    effective_from: datetime


class PriceRule(Wire):
    """A price as it was set. The most specific wins, and of those the latest."""

    model: str | None = Field(description="null: every model that has none of its own")
    version: str | None = Field(description="null: every version that has none of its own")
    operation: Operation = Field(description=_OPERATION)
    amount: Amount = Field(description="For one instance")
    effective_from: datetime


class PriceList(Wire):
    """Prices of now, and those to come."""

    in_effect: list[PriceInEffect]
    coming: list[PriceRule]


class PriceRequest(Wire):
    """A price to be set; one of before is never changed."""

    model: Name
    version: Name | None = Field(default=None, description="Left out: all versions")
    operation: Operation = Field(default=Operation.PREDICT, description=_OPERATION)
    amount: Annotated[Amount, AfterValidator(_not_negative)] = Field(description="For one instance")
    effective_from: Moment | None = Field(
        default=None, description="Not before now; left out: from now on"
    )


class Quote(Wire):
    """What a request would cost now."""

    model: str
    version: str
    instances: int
    explain: bool = Field(description="Whether explanations are included")
    amount_each: Amount
    amount: Amount
