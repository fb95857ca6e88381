"""Prices of one instance, by model and version and by the time they take effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import insert

from billing.credits import Credits
from billing.database import Database
from billing.errors import PriceMissing
from billing.tables import prices


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Price:
    """What one instance costs. `model` None is any model, `version` None any version of it."""

    model: str | None
    version: str | None
    amount: Credits
    effective_from: datetime

    def matches(self, model: str, version: str) -> bool:
        """Whether this price speaks of that model and version at all."""
        return self.model in (None, model) and self.version in (None, version)

    @property
    def rank(self) -> tuple[bool, bool, datetime]:
        """Greater wins: the more specific, then the later."""
        return (self.model is not None, self.version is not None, self.effective_from)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices, past and to come; it can be kept until a notice says that prices changed."""

    prices: tuple[Price, ...]
    now: Callable[[], datetime] = field(default=_now, compare=False, repr=False)

    def price(self, model: str, version: str, instances: int) -> Credits:
        """What `instances` cost together, now.

        The most specific price that is in effect wins, and of those the latest. Raises
        PriceMissing where none is.
        """
        now = self.now()
        in_effect = [
            price
            for price in self.prices
            if price.matches(model, version) and price.effective_from <= now
        ]
        if not in_effect:
            raise PriceMissing(f"no price is in effect for {model} {version}")
        return max(in_effect, key=lambda price: price.rank).amount * instances


async def set_price(database: Database, price: Price) -> None:
    """Add a price; one of the past is never changed. Every listener is told."""
    async with database.begin() as connection:
        await connection.execute(
            insert(prices).values(
                model=price.model,
                version=price.version,
                amount_microcredits=price.amount.microcredits,
                effective_from=price.effective_from,
            )
        )
