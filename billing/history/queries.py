"""Read an account's own balance, entries and predictions."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import func, select

from billing.credits import Credits
from billing.database import Database
from billing.errors import AccountMissing
from billing.history.lists import PREDICTIONS, HistoryList
from billing.history.spans import find_span
from billing.history.values import Filter, Item, Part, Prediction, Span, StoredAnswer
from billing.tables import answers, balances, entries
from billing.top_ups.tables import debts

EXAMINED_MAX = 20_000
"""Entries that one page looks at, so that no filter can make it run long."""

CHUNK_ENTRIES = 2_000
"""Entries that one query of an export looks at: few enough not to hold up others' answers."""


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


async def fetch_part(
    database: Database,
    account_id: uuid.UUID,
    history: HistoryList[Item],
    wanted: Filter,
    *,
    before: int | None,
    limit: int,
    examined_max: int = EXAMINED_MAX,
) -> Part[Item]:
    """What is wanted, newest first, below the sequence `before`. Raises AccountMissing.

    Looks at `examined_max` entries at most: fewer items than `limit` do not mean that none follow.
    """
    async with database.begin() as connection:
        span = await find_span(connection, account_id, wanted.since, wanted.until)
        if before is not None:
            span = span.before(before)
        examined = span.newest(examined_max)
        query = history.within(account_id, wanted, examined)
        query = query.order_by(entries.c.sequence.desc()).limit(limit)
        items = [history.read(row) for row in await connection.execute(query)]
    reached = items[-1].sequence if len(items) == limit else examined.after + 1
    return Part(items, reached if reached > span.after + 1 else None)


async def fetch_span(database: Database, account_id: uuid.UUID, wanted: Filter) -> Span:
    """Where everything that is wanted lies, of what was committed so far. Raises AccountMissing."""
    async with database.begin() as connection:
        return await find_span(connection, account_id, wanted.since, wanted.until)


async def stream_chunks(
    database: Database,
    account_id: uuid.UUID,
    history: HistoryList[Item],
    wanted: Filter,
    span: Span,
    *,
    chunk_entries: int = CHUNK_ENTRIES,
) -> AsyncIterator[list[Item]]:
    """All that is wanted of the span, oldest first; each chunk is a short query of its own.

    A chunk holds what `chunk_entries` entries had of it, which may be nothing.
    """
    while not span.is_empty:
        chunk = span.oldest(chunk_entries)
        query = history.within(account_id, wanted, chunk).order_by(entries.c.sequence)
        async with database.begin() as connection:
            rows = await connection.execute(query)
        yield [history.read(row) for row in rows]
        span = Span(chunk.last, span.last)


async def fetch_prediction(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID
) -> tuple[Prediction, StoredAnswer | None] | None:
    """One prediction of this account, with its answer while that is kept; None: no such one."""
    query = PREDICTIONS.query.where(
        entries.c.charge_id == charge_id, entries.c.account_id == account_id
    )
    stored = select(answers.c.inputs, answers.c.predictions).where(answers.c.charge_id == charge_id)
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        answer = (await connection.execute(stored)).one_or_none()
    return PREDICTIONS.read(row), None if answer is None else StoredAnswer(*answer)
