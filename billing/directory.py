"""What a validator looks up by itself: who holds a key, and what things cost."""

from __future__ import annotations

import hmac

from billing.database import Database
from billing.keys import ApiKey
from billing.prices import PriceTable, fetch_prices
from billing.principal import Principal
from billing.settings import BillingSettings

_SELECT_KEY = """
SELECT secret_hash, account_id, accounts.name AS account_name
  FROM api_keys JOIN accounts ON accounts.id = account_id
 WHERE api_keys.id = $1 AND revoked_at IS NULL
"""


class Directory:
    """Reads keys and prices; LedgerUnavailable when the database is out of reach."""

    def __init__(self, database: Database, settings: BillingSettings) -> None:
        self._database = database
        self._key_hash_secret = settings.key_hash_secret

    async def fetch_principal(self, key: ApiKey) -> Principal | None:
        """The account behind `key`; None when it is unknown, has another secret, or was revoked."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_SELECT_KEY, key.key_id)
        hashed = key.secret_hash(self._key_hash_secret.get_secret_value())
        if row is None or not hmac.compare_digest(row["secret_hash"], hashed):
            return None
        return Principal(row["account_id"], row["account_name"], key.key_id)

    async def fetch_prices(self) -> PriceTable:
        """The prices in force now."""
        return await fetch_prices(self._database)
