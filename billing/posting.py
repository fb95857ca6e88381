"""Post entries other than charges: the balance first, then the entry, numbered under its lock.

Whoever posts has written or locked everything else before: the balance is the last lock taken but
for the rows that only its holder touches (grants, debts).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import ZERO, Credits
from billing.errors import AccountMissing, BalanceTooLarge, CreditsMissing
from billing.tables import accounts, balances, entries

AVAILABLE_NOT_NEGATIVE = "balances_available_not_negative"
_OUT_OF_RANGE = "22003"


class Kind(StrEnum):
    """What an entry is for. Credits come in by the first three and leave by the rest."""

    TOP_UP = "top_up"
    GRANT = "grant"
    REFUND = "refund"
    CHARGE = "charge"
    CAPTURE = "capture"
    EXPIRY = "expiry"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that was posted, and what is left."""

    sequence: int
    balance: Credits
    """`posted` right after the entry."""
    available: Credits


async def lock_balance(connection: AsyncConnection, account_id: uuid.UUID) -> Posted:
    """Keep every other writer from the account until the transaction ends. Raises AccountMissing.

    `sequence` is that of the account's last entry.
    """
    query = (
        select(balances.c.sequence, balances.c.posted, balances.c.held)
        .where(balances.c.account_id == account_id)
        .with_for_update(key_share=True)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise AccountMissing(f"there is no account {account_id}")
    return Posted(row.sequence, Credits(row.posted), Credits(row.posted - row.held))


async def lock_open_account(connection: AsyncConnection, account_id: uuid.UUID) -> Posted:
    """As `lock_balance`; a closed account is missing too: nothing comes to it any more."""
    posted = await lock_balance(connection, account_id)
    query = select(accounts.c.closed_at).where(accounts.c.id == account_id)
    if (await connection.execute(query)).scalar_one_or_none() is not None:
        raise AccountMissing(f"the account {account_id} is closed")
    return posted


async def post_entry(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    kind: Kind,
    amount: Credits,
    *,
    release: Credits = ZERO,
    source_id: uuid.UUID | None = None,
    reason: str | None = None,
) -> Posted:
    """Move `amount` (above zero: in, below zero: out) and write the entry that says so.

    `release` is taken off what is held in the same step. `source_id` is the grant, top-up, refund
    or hold behind the entry. Raises AccountMissing, CreditsMissing when less than nothing would be
    left, and BalanceTooLarge: the transaction is of no more use then.
    """
    posted = await _update_balance(
        connection,
        account_id,
        posted=balances.c.posted + amount.microcredits,
        held=balances.c.held - release.microcredits,
        sequence=balances.c.sequence + 1,
    )
    await connection.execute(
        insert(entries).values(
            account_id=account_id,
            sequence=posted.sequence,
            kind=kind,
            amount_microcredits=amount.microcredits,
            balance_microcredits=posted.balance.microcredits,
            source_id=source_id,
            reason=reason,
        )
    )
    return posted


async def hold_credits(
    connection: AsyncConnection, account_id: uuid.UUID, amount: Credits
) -> Posted:
    """Set credits aside, or give them back where `amount` is below zero.

    No entry: nothing was spent. Raises as `post_entry` does.
    """
    return await _update_balance(connection, account_id, held=balances.c.held + amount.microcredits)


async def _update_balance(
    connection: AsyncConnection, account_id: uuid.UUID, **changes: object
) -> Posted:
    query = (
        update(balances)
        .where(balances.c.account_id == account_id)
        .values(**changes)
        .returning(balances.c.sequence, balances.c.posted, balances.c.held)
    )
    try:
        row = (await connection.execute(query)).one_or_none()
    except IntegrityError as error:
        if AVAILABLE_NOT_NEGATIVE in str(error.orig):
            raise CreditsMissing("the account has not enough credits") from error
        raise
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _OUT_OF_RANGE:
            raise BalanceTooLarge("the sum passes 2**63 microcredits") from error
        raise
    if row is None:
        raise AccountMissing(f"there is no account {account_id}")
    return Posted(row.sequence, Credits(row.posted), Credits(row.posted - row.held))
