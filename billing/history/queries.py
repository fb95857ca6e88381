"""Read an account's own balance, entries and predictions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from billing.credits import Credits
from billing.database import Database
from billing.errors import AccountMissing
from billing.tables import balances
from billing.top_ups.tables import debts


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has. `available` is what it can spend: posted less held."""

    posted: Credits
    held: Credits
    owed: Credits
    """What chargebacks could not take: the next top-ups pay it first."""

    @property
    def available(self) -> Credits:
        return self.posted - self.held


async def fetch_balance(database: Database, account_id: uuid.UUID) -> Balance:
    """The balance of now. Raises AccountMissing."""
    owed = (
        select(
            func.coalesce(func.sum(debts.c.amount_microcredits - debts.c.repaid_microcredits), 0)
        )
        .where(debts.c.account_id == account_id)
        .scalar_subquery()
    )
    query = select(balances.c.posted, balances.c.held, owed.label("owed")).where(
        balances.c.account_id == account_id
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise AccountMissing(f"there is no account {account_id}")
    return Balance(Credits(row.posted), Credits(row.held), Credits(int(row.owed)))
