"""Prices of one instance, by what is done, by model and version, and by when they take effect."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.actions import COMMAND_LINE, Actor, record
from billing.credits import Credits
from billing.database import Database
from billing.errors import IdempotencyConflict, PriceExists, PriceMissing
from billing.tables import prices


def _now() -> datetime:
    return datetime.now(UTC)


class Operation(StrEnum):
    """What is done with an instance; each has prices of its own."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    """Paid in addition to the prediction."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one instance costs. `model` None is any model, `version` None any version of it."""

    model: str | None
    version: str | None
    amount: Credits
    effective_from: datetime
    operation: Operation = Operation.PREDICT

    def matches(self, model: str, version: str, operation: Operation) -> bool:
        """Whether this price speaks of that operation, model and version at all."""
        return (
            self.operation is operation
            and self.model in (None, model)
            and self.version in (None, version)
        )

    @property
    def rank(self) -> tuple[bool, bool, datetime]:
        """Greater wins: the more specific, then the later."""
        return (self.model is not None, self.version is not None, self.effective_from)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices, past and to come; it can be kept until a notice says that prices changed."""

    prices: tuple[Price, ...]
    now: Callable[[], datetime] = field(default=_now, compare=False, repr=False)

    def price(
        self,
        model: str,
        version: str,
        instances: int,
        operation: Operation = Operation.PREDICT,
    ) -> Credits:
        """What `instances` cost together, now. Raises PriceMissing."""
        return self.find(model, version, operation).amount * instances

    def find(self, model: str, version: str, operation: Operation = Operation.PREDICT) -> Price:
        """The price of now: the most specific that is in effect, and of those the latest.

        Raises PriceMissing where none is.
        """
        now = self.now()
        in_effect = [
            price
            for price in self.prices
            if price.matches(model, version, operation) and price.effective_from <= now
        ]
        if not in_effect:
            raise PriceMissing(f"no price to {operation} is in effect for {model} {version}")
        return max(in_effect, key=lambda price: price.rank)

    def find_coming(self) -> list[Price]:
        """Prices that take effect later, the soonest first."""
        now = self.now()
        coming = [price for price in self.prices if price.effective_from > now]
        return sorted(coming, key=lambda price: price.effective_from)


async def set_price(
    database: Database,
    price: Price,
    actor: Actor = COMMAND_LINE,
    *,
    request_id: uuid.UUID | None = None,
) -> Price:
    """Add a price; one of before is never changed. Every listener is told; it is audited.

    The price that `request_id` set before, where it did. Raises PriceExists where another takes
    effect at that moment, IdempotencyConflict where `request_id` set another one.
    """
    async with database.begin() as connection:
        made = await connection.execute(
            insert(prices)
            .values(
                model=price.model,
                version=price.version,
                operation=price.operation,
                amount_microcredits=price.amount.microcredits,
                effective_from=price.effective_from,
                request_id=request_id,
            )
            .on_conflict_do_nothing()
            .returning(prices.c.id)
        )
        if made.one_or_none() is None:
            return await _find_set(connection, price, request_id)
        await record(connection, actor, "set_price", target=price.model, details=_details(price))
    return price


def price_of(row: Row[Any]) -> Price:
    """The price in a row of the table."""
    amount = Credits(row.amount_microcredits)
    return Price(row.model, row.version, amount, row.effective_from, Operation(row.operation))


def _details(price: Price) -> dict[str, object]:
    return {
        "version": price.version,
        "operation": price.operation,
        "amount": str(price.amount),
        "effective_from": price.effective_from.isoformat(),
    }


async def _find_set(
    connection: AsyncConnection, price: Price, request_id: uuid.UUID | None
) -> Price:
    query = select(prices).where(prices.c.request_id == request_id)
    row = (await connection.execute(query)).one_or_none() if request_id else None
    if row is None:
        raise PriceExists(f"another price takes effect at {price.effective_from}")
    earlier = price_of(row)
    if replace(price, effective_from=earlier.effective_from) != earlier:
        raise IdempotencyConflict("this request set another price before")
    return earlier
