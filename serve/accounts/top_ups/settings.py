"""How credits are sold, and through whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_CREDITS = r"^\d{1,9}(\.\d{1,6})?$"


class PaymentSettings(BaseSettings):
    """A part of the settings of the accounts application."""

    model_config = SettingsConfigDict(
        env_prefix="FAREBOX_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    payment_provider: Literal["none", "test", "stripe"] = "none"
    """`test` gives credits for nothing: for trying the product out, never where others sign up."""

    credit_price_minor_units: Annotated[
        Decimal, Field(gt=0, le=1_000_000, max_digits=15, decimal_places=6)
    ] = Decimal(1)
    """Cents or their like for one credit; a top-up's price is rounded up to a whole one."""

    currency: Annotated[str, Field(pattern=r"^[a-z]{3}$")] = "usd"
    """ISO 4217, lower case."""

    top_up_credits_min: Annotated[str, Field(pattern=_CREDITS)] = "1"
    """Providers have a least amount too: Stripe's is about half a dollar."""

    top_up_credits_max: Annotated[str, Field(pattern=_CREDITS)] = "100000"

    payment_return_url: str | None = None
    """Where the provider sends the browser afterwards; left out: the public URL."""

    payment_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """For one call to the provider."""

    webhook_tolerance_seconds: Annotated[int, Field(gt=0, le=3600)] = 300
    """A webhook signed longer ago, or so far ahead, is refused."""

    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_api_url: str = "https://api.stripe.com"

    @model_validator(mode="after")
    def _check_stripe(self) -> Self:
        if self.payment_provider == "stripe" and not (
            self.stripe_secret_key and self.stripe_webhook_secret
        ):
            raise ValueError(
                "the payment provider `stripe` needs FAREBOX_STRIPE_SECRET_KEY and "
                "FAREBOX_STRIPE_WEBHOOK_SECRET"
            )
        return self
