"""The ledger in PostgreSQL. It keeps nothing between calls: any number may share a database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from billing.charges import AnswerExpired, Charge, Earlier, Outcome, StoredRows
from billing.charging import Charging, fetch_available, fetch_earlier, fetch_rows
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import LedgerUnavailable, OutcomeUnknown


class PostgresLedger:
    """Implements `billing.ports.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """As the port says; more than one transaction only where the database refused the first."""
        charging: Charging | None = None
        try:
            async with self._database.connection() as connection:
                charging = Charging(connection)
                return await charging.charge(charges)
        except LedgerUnavailable as error:
            if charging is None or not charging.has_committed:
                raise
            raise OutcomeUnknown("charged, but not all outcomes could be read back") from error

    async def find_earlier(
        self, account_id: uuid.UUID, charge_id: uuid.UUID, body_sha256: bytes | None
    ) -> Earlier | None:
        """As the port says."""
        async with self._database.connection() as connection:
            found = await fetch_earlier(connection, [(charge_id, account_id)])
        earlier = found.get((charge_id, account_id))
        return None if earlier is None else earlier.answer(body_sha256)

    async def find_rows(
        self, account_id: uuid.UUID, charge_id: uuid.UUID
    ) -> StoredRows | AnswerExpired | None:
        """As the port says."""
        async with self._database.connection() as connection:
            return await fetch_rows(connection, account_id, charge_id)

    async def fetch_balance(self, account_id: uuid.UUID) -> Credits:
        """As the port says; an unknown account has nothing."""
        async with self._database.connection() as connection:
            available = await fetch_available(connection, [account_id], [])
        return available.accounts.get(account_id, ZERO)
