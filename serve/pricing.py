"""The price table a replica prices with, kept up to date by notices from the database."""

from __future__ import annotations

from billing.credits import Credits
from billing.prices import PriceTable
from serve.ports import AccountBook


class Pricing:
    """Prices without a query: the table is read at the start and whenever it changed."""

    def __init__(self, accounts: AccountBook, table: PriceTable) -> None:
        self._accounts = accounts
        self._table = table

    def price(self, model: str, version: str, instances: int) -> Credits:
        """What `instances` instances cost now; fixed for a request when it is admitted."""
        return self._table.price(model, version, instances)

    async def refresh(self) -> None:
        """Read the table again."""
        self._table = await self._accounts.fetch_prices()
