"""What this product gives and asks, before one signs up."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, PlainSerializer

from billing.credits import Credits
from billing.settings import BillingSettings
from serve.accounts.settings import AccountsSettings
from serve.wire import Amount, Wire


def _plain(price: Decimal) -> str:
    return f"{price.normalize():f}"


class TermsView(Wire):
    """What a new user gets, what credits cost, and how long things are kept."""

    welcome_credits: Amount = Field(description="Given once to each address that signs up")
    welcome_expiry_days: float | None = Field(description="null: they do not expire")
    currency: str = Field(description="ISO 4217, lower case", examples=["usd"])
    credit_price_minor_units: Annotated[
        Decimal,
        PlainSerializer(_plain, return_type=str),
        Field(description="For one credit: cents or their like, as a plain decimal string"),
    ]
    top_up_credits_min: Amount
    top_up_credits_max: Amount
    payment_provider: Literal["none", "test", "stripe"] = Field(
        description="none: credits are not sold. test: they are given for nothing"
    )
    sends_mail: bool = Field(
        description="Whether an address is verified by mail; welcome credits then wait for it"
    )
    answer_retention_hours: int = Field(description="A paid answer can be read again for so long")
    session_idle_hours: float = Field(description="A session ends unused after so long")

    @classmethod
    def of(cls, billing: BillingSettings, settings: AccountsSettings) -> Self:
        """As the settings say."""
        return cls(
            welcome_credits=settings.welcome,
            welcome_expiry_days=settings.welcome_expiry_days,
            currency=settings.currency,
            credit_price_minor_units=settings.credit_price_minor_units,
            top_up_credits_min=Credits.parse(settings.top_up_credits_min),
            top_up_credits_max=Credits.parse(settings.top_up_credits_max),
            payment_provider=settings.payment_provider,
            sends_mail=settings.mail_links is not None,
            answer_retention_hours=billing.answer_retention_hours,
            session_idle_hours=settings.session_idle_hours,
        )
