"""Prices that a new product starts with, beside the one credit of any model."""

from __future__ import annotations

from datetime import UTC, datetime

from billing.credits import Credits
from billing.database import Database
from billing.errors import PriceExists
from billing.prices import Price, set_price
from billing.settings import BillingSettings

FIRST_PRICES = {"android-malware-linear": "0.5"}
# The moment of the ledger's own first price: whatever an operator sets later is in effect instead.
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


async def ensure_first_prices(settings: BillingSettings) -> None:
    """Set each first price where none was set; one that an operator set before stays."""
    database = Database(settings)
    try:
        for model, amount in FIRST_PRICES.items():
            await _set_once(database, Price(model, None, Credits.parse(amount), BEGINNING))
    finally:
        await database.close()


async def _set_once(database: Database, price: Price) -> None:
    try:
        await set_price(database, price)
    except PriceExists:
        return
