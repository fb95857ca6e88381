"""What an instance costs: a table in the database, priced from without a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.credits import Credits
from billing.database import Database


@dataclass(frozen=True, slots=True)
class Price:
    """Credits for one instance of a model version, of a model, or of anything (None)."""

    model: str | None
    version: str | None
    amount: Credits
    effective_from: datetime

    @property
    def precedence(self) -> tuple[bool, bool, datetime]:
        """Prices sort by this: the more specific, then the later one is higher."""
        return self.model is not None, self.version is not None, self.effective_from


class PriceTable:
    """Prices in force. The most specific one wins, and of these the latest."""

    def __init__(self, prices: Sequence[Price]) -> None:
        self._prices = sorted(prices, key=lambda price: price.precedence, reverse=True)

    def price(self, model: str, version: str, instances: int) -> Credits:
        """What `instances` instances cost together.

        Raises LookupError where no price applies; the migration seeds a default, so there is one.
        """
        for price in self._prices:
            if price.model in (None, model) and price.version in (None, version):
                return price.amount * instances
        raise LookupError(f"no price for {model} {version}")


_SELECT_PRICES = """
SELECT model, version, amount_microcredits, effective_from
  FROM prices WHERE effective_from <= now()
"""

_INSERT_PRICE = """
INSERT INTO prices (model, version, amount_microcredits) VALUES ($1, $2, $3)
"""


async def fetch_prices(database: Database) -> PriceTable:
    """The prices in force now."""
    async with database.connection() as connection:
        rows = await connection.fetch(_SELECT_PRICES)
    return PriceTable(
        [
            Price(
                row["model"],
                row["version"],
                Credits(row["amount_microcredits"]),
                row["effective_from"],
            )
            for row in rows
        ]
    )


async def set_price(
    database: Database, model: str | None, version: str | None, amount: Credits
) -> None:
    """Set the price of one instance from now on. Earlier prices stay on record."""
    async with database.connection() as connection:
        await connection.execute(_INSERT_PRICE, model, version, amount.microcredits)
