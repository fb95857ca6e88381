"""The price table a replica prices with, kept up to date by notices from the database."""

from __future__ import annotations

import asyncio

from billing.credits import Credits
from billing.errors import BillingError
from billing.prices import PriceTable
from serve.ports import AccountBook

_RETRY_SECONDS = 1.0


class Pricing:
    """Prices without a query: the table is read at the start and whenever it changed."""

    def __init__(self, accounts: AccountBook, table: PriceTable) -> None:
        self._accounts = accounts
        self._table = table
        self._stale = asyncio.Event()

    def price(self, model: str, version: str, instances: int) -> Credits:
        """What `instances` instances cost now; fixed for a request when it is admitted."""
        return self._table.price(model, version, instances)

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
            except BillingError:
                self._stale.set()
                await asyncio.sleep(_RETRY_SECONDS)
