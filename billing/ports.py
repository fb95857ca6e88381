"""The ledger as its callers see it; PostgreSQL and the in-memory fake pass the same contract."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Protocol

from billing.charges import AnswerExpired, Charge, Earlier, Outcome, StoredRows
from billing.credits import Credits


class Ledger(Protocol):
    """Charges, and what was charged before."""

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """Record and pay all of `charges` in one transaction; outcomes in the order given.

        Raises LedgerUnavailable when nothing was committed, OutcomeUnknown when that cannot be
        told: the caller sends the same charges again.
        """

    async def find_earlier(
        self, account_id: uuid.UUID, charge_id: uuid.UUID, body_sha256: bytes | None
    ) -> Earlier | None:
        """What this charge id was answered before, or None where the account has no such charge.

        `body_sha256` None means "whatever the body was": a look-up by id.
        """

    async def find_rows(
        self, account_id: uuid.UUID, charge_id: uuid.UUID
    ) -> StoredRows | AnswerExpired | None:
        """As `find_earlier` by id, with the rows that were asked about."""

    async def fetch_balance(self, account_id: uuid.UUID) -> Credits:
        """Credits that can be spent now."""
