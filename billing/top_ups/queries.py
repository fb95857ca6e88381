"""Read top-ups and debts."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, tuple_

from billing.credits import Credits
from billing.database import Database
from billing.top_ups.tables import debts, top_ups
from billing.top_ups.values import Debt, Price, Status, TopUp

Position = tuple[datetime, uuid.UUID]
"""Where a list goes on: time and id of the last item seen."""


async def fetch_top_up(
    database: Database, account_id: uuid.UUID, top_up_id: uuid.UUID
) -> TopUp | None:
    """The account's top-up of that id."""
    query = select(top_ups).where(top_ups.c.id == top_up_id, top_ups.c.account_id == account_id)
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else make_top_up(row)


async def fetch_top_up_of_checkout(
    database: Database, provider: str, reference: str
) -> TopUp | None:
    """The top-up that the provider knows by `reference`."""
    query = select(top_ups).where(
        top_ups.c.provider == provider, top_ups.c.provider_reference == reference
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else make_top_up(row)


async def fetch_top_ups(
    database: Database, account_id: uuid.UUID, *, after: Position | None, limit: int
) -> list[TopUp]:
    """The account's top-ups, newest first."""
    query = (
        select(top_ups)
        .where(top_ups.c.account_id == account_id)
        .order_by(top_ups.c.created_at.desc(), top_ups.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(top_ups.c.created_at, top_ups.c.id) < after)
    async with database.begin() as connection:
        rows = await connection.execute(query)
    return [make_top_up(row) for row in rows]


async def fetch_debts(
    database: Database, account_id: uuid.UUID, *, after: Position | None, limit: int
) -> list[Debt]:
    """The account's debts, repaid ones too, newest first."""
    query = (
        select(debts)
        .where(debts.c.account_id == account_id)
        .order_by(debts.c.created_at.desc(), debts.c.top_up_id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(debts.c.created_at, debts.c.top_up_id) < after)
    async with database.begin() as connection:
        rows = await connection.execute(query)
    return [make_debt(row) for row in rows]


def make_top_up(row: Row[Any]) -> TopUp:
    """From a row of `top_ups`."""
    return TopUp(
        id=row.id,
        account_id=row.account_id,
        provider=row.provider,
        amount=Credits(row.amount_microcredits),
        price=Price(row.price_minor_units, row.currency),
        created_at=row.created_at,
        status=Status(row.status),
        provider_reference=row.provider_reference,
        checkout_url=row.checkout_url,
        paid_at=row.paid_at,
        charged_back=Credits(row.charged_back_microcredits),
        charged_back_minor_units=row.charged_back_minor_units,
        return_url=row.return_url,
    )


def make_debt(row: Row[Any]) -> Debt:
    """From a row of `debts`."""
    return Debt(
        row.top_up_id,
        Credits(row.amount_microcredits),
        Credits(row.repaid_microcredits),
        row.created_at,
    )
