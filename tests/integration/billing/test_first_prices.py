"""The prices a product starts with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.credits import Credits
from billing.database import Database
from billing.directory import Directory
from billing.prices import Price, PriceTable, set_price
from billing.settings import BillingSettings
from farebox.first_prices import ensure_first_prices

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LINEAR = "android-malware-linear"


async def fetch(database: Database, settings: BillingSettings) -> PriceTable:
    return await Directory(database, settings.key_hash_secret).fetch_prices()


async def test_linear_model_costs_half_a_credit_and_others_one(
    database: Database, settings: BillingSettings
) -> None:
    await ensure_first_prices(settings)
    found = await fetch(database, settings)
    assert found.price(LINEAR, "1", 1) == Credits.parse("0.5")
    assert found.price("android-malware", "2", 1) == Credits.parse("1")


async def test_later_starts_change_nothing(database: Database, settings: BillingSettings) -> None:
    for _ in range(2):
        await ensure_first_prices(settings)
    found = await fetch(database, settings)
    assert sum(price.model == LINEAR for price in found.prices) == 1


async def test_price_of_an_operator_outlives_the_next_start(
    database: Database, settings: BillingSettings
) -> None:
    await set_price(database, Price(LINEAR, None, Credits.parse("3"), datetime.now(UTC)))
    await ensure_first_prices(settings)
    found = await fetch(database, settings)
    assert found.price(LINEAR, "1", 1) == Credits.parse("3")
