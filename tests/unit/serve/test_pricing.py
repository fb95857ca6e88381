"""Prices without a query, read again when they changed."""

from __future__ import annotations

import asyncio

import pytest

from billing.credits import Credits
from billing.errors import LedgerUnavailable
from serve import pricing as pricing_module
from serve.pricing import Pricing
from tests.support.serving import MemoryAccounts, make_prices, turns

pytestmark = pytest.mark.anyio


@pytest.fixture
async def accounts() -> MemoryAccounts:
    return MemoryAccounts()


@pytest.fixture
async def pricing(accounts: MemoryAccounts) -> Pricing:
    return Pricing(accounts, accounts.prices)


def price_of_one(pricing: Pricing) -> str:
    return str(pricing.price("m", "1", 1))


async def stop(keeping: asyncio.Task[None]) -> None:
    keeping.cancel()
    await asyncio.wait([keeping])
    assert keeping.cancelled()


async def test_instances_are_priced_together(pricing: Pricing) -> None:
    assert pricing.price("m", "1", 7) == Credits.parse("7")


async def test_explanations_are_priced_beside_predictions(
    accounts: MemoryAccounts, pricing: Pricing
) -> None:
    assert pricing.explanation_price("m", "1", 3) == Credits.parse("1.5")
    accounts.prices = make_prices("1", "2")
    pricing.changed()
    keeping = asyncio.create_task(pricing.keep_fresh())
    await turns()
    assert pricing.explanation_price("m", "1", 3) == Credits.parse("6")
    assert price_of_one(pricing) == "1"
    await stop(keeping)


async def test_nothing_is_read_while_nothing_changed(
    accounts: MemoryAccounts, pricing: Pricing
) -> None:
    keeping = asyncio.create_task(pricing.keep_fresh())
    for _ in range(3):
        price_of_one(pricing)
        await turns()
    assert accounts.price_reads == 0
    await stop(keeping)


async def test_a_change_is_read_and_so_is_the_next(
    accounts: MemoryAccounts, pricing: Pricing
) -> None:
    keeping = asyncio.create_task(pricing.keep_fresh())
    for price in ("2", "0.5"):
        accounts.prices = make_prices(price)
        pricing.changed()
        await turns()
        assert price_of_one(pricing) == price
    assert accounts.price_reads == 2
    await stop(keeping)


async def test_a_change_before_it_is_kept_fresh_is_not_lost(
    accounts: MemoryAccounts, pricing: Pricing
) -> None:
    accounts.prices = make_prices("2")
    pricing.changed()
    keeping = asyncio.create_task(pricing.keep_fresh())
    await turns()
    assert price_of_one(pricing) == "2"
    await stop(keeping)


async def test_an_unreachable_ledger_is_asked_again_and_the_old_prices_hold_meanwhile(
    accounts: MemoryAccounts, pricing: Pricing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pricing_module, "_RETRY_SECONDS", 0.01)
    accounts.prices = make_prices("2")
    accounts.failures = [LedgerUnavailable("gone"), LedgerUnavailable("gone")]
    keeping = asyncio.create_task(pricing.keep_fresh())
    pricing.changed()
    await turns()
    assert price_of_one(pricing) == "1"
    await asyncio.sleep(0.1)
    assert accounts.price_reads == 3
    assert price_of_one(pricing) == "2"
    await stop(keeping)
