"""The price table a replica prices with, kept up to date by notices from the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from billing.credits import ZERO, Credits
from billing.errors import BillingError
from billing.prices import Operation, PriceTable
from serve.ports import AccountBook

_RETRY_SECONDS = 1.0
_KEPT_SECONDS = 1.0
"""How long a price is reckoned with before the table is asked again what is in effect."""


class Pricing:
    """Prices without a query: the table is read at the start and whenever it changed."""

    def __init__(
        self,
        accounts: AccountBook,
        table: PriceTable,
        clock_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._table = table
        self._clock_seconds = clock_seconds
        self._stale = asyncio.Event()
        self._each: dict[tuple[str, str], tuple[Credits, float]] = {}

    def price(self, model: str, version: str, instances: int) -> Credits:
        """What `instances` instances cost now; fixed for a request when it is admitted.

        A price that was set for a later time is taken up within a second of it.
        """
        now = self._clock_seconds()
        each, kept_until = self._each.get((model, version), (ZERO, 0.0))
        if now >= kept_until:
            each = self._table.price(model, version, 1)
            self._each[model, version] = (each, now + _KEPT_SECONDS)
        return each * instances

    def explanation_price(self, model: str, version: str, instances: int) -> Credits:
        """What explaining `instances` predictions costs now, beside the predictions themselves."""
        return self._table.price(model, version, instances, Operation.EXPLAIN)

    def changed(self) -> None:
        """The table in the database is another one, or may be."""
        self._stale.set()

    async def keep_fresh(self) -> None:
        """Read the table again whenever it changed; runs until it is cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self._table = await self._accounts.fetch_prices()
                self._each.clear()
            except BillingError:
                self._stale.set()
                await asyncio.sleep(_RETRY_SECONDS)
