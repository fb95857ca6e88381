"""Top-ups and debts as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from pydantic import Field

from billing.top_ups.values import Debt, Status, TopUp
from serve.accounts.top_ups.returning import SETTING, URL_CHARACTERS_MAX
from serve.wire import Amount, Wire


class TopUpRequest(Wire):
    """What is to be bought."""

    credits: Amount
    return_url: str | None = Field(
        default=None,
        max_length=URL_CHARACTERS_MAX,
        description="Where the browser goes once the payment has ended: https, or http on this "
        f"machine, of an origin that the setting {SETTING} has",
    )


class TopUpView(Wire):
    """Credits that are bought. They are there once the status is `paid`."""

    id: uuid.UUID
    status: Status
    credits: Amount
    price_minor_units: int = Field(description="Cents, or what the currency has", examples=[1200])
    currency: str = Field(description="ISO 4217, lower case", examples=["usd"])
    checkout_url: str | None = Field(description="The provider's page where it is paid")
    return_url: str | None = Field(description="Where the browser goes afterwards")
    charged_back: Amount = Field(description="What the payer or their bank took back")
    created_at: datetime
    paid_at: datetime | None

    @classmethod
    def of(cls, top_up: TopUp) -> Self:
        return cls(
            id=top_up.id,
            status=top_up.status,
            credits=top_up.amount,
            price_minor_units=top_up.price.minor_units,
            currency=top_up.price.currency,
            checkout_url=top_up.checkout_url,
            return_url=top_up.return_url,
            charged_back=top_up.charged_back,
            created_at=top_up.created_at,
            paid_at=top_up.paid_at,
        )


class DebtView(Wire):
    """Credits of a charged-back top-up that were spent; the next top-ups pay it first."""

    top_up_id: uuid.UUID
    credits: Amount
    repaid: Amount
    owed: Amount
    created_at: datetime

    @classmethod
    def of(cls, debt: Debt) -> Self:
        return cls(
            top_up_id=debt.top_up_id,
            credits=debt.amount,
            repaid=debt.repaid,
            owed=debt.owed,
            created_at=debt.created_at,
        )
