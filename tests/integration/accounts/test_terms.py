"""What one gets is told before one signs up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serve.accounts.settings import AccountsSettings
from tests.support.accounts import CHEAP_PASSWORDS, AccountsApp

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_anybody_reads_what_one_gets(app: AccountsApp) -> None:
    async with app.client() as client:
        terms = (await client.get("/v1/terms")).json()
    assert terms == {
        "welcome_credits": "100",
        "welcome_expiry_days": None,
        "currency": "usd",
        "credit_price_minor_units": "1",
        "top_up_credits_min": "1",
        "top_up_credits_max": "100000",
        "payment_provider": "none",
        "sends_mail": False,
        "answer_retention_hours": 24,
        "session_idle_hours": 24.0,
    }


@pytest.mark.parametrize(("price", "told"), [("0.250000", "0.25"), ("100", "100"), ("1.50", "1.5")])
async def test_terms_are_those_of_the_settings(price: str, told: str, app: AccountsApp) -> None:
    settings = AccountsSettings(
        welcome_credits="5.5",
        welcome_expiry_days=30,
        currency="eur",
        credit_price_minor_units=price,
        payment_provider="test",
        smtp_host="mail.example.com",
        **CHEAP_PASSWORDS,
    )
    app.services = replace(app.services, settings=settings)
    async with app.client() as client:
        terms = (await client.get("/v1/terms")).json()
    assert (terms["welcome_credits"], terms["welcome_expiry_days"]) == ("5.5", 30)
    assert (terms["currency"], terms["credit_price_minor_units"]) == ("eur", told)
    assert (terms["payment_provider"], terms["sends_mail"]) == ("test", True)
