"""Read an account's keys, what they may spend and what they have spent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.api_keys.errors import KeyMissing
from billing.api_keys.tables import key_caps, key_spending, key_uses
from billing.api_keys.values import CapState, KeyRecord, Period, Scope
from billing.credits import Credits
from billing.database import Database
from billing.tables import api_keys


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a page of keys ended."""

    created_at: datetime
    id: str


async def fetch_keys(
    database: Database, account_id: uuid.UUID, *, limit: int, after: KeyPlace | None = None
) -> list[KeyRecord]:
    """The account's keys, those that ended included; the newest first."""
    query = (
        _select_keys()
        .where(api_keys.c.account_id == account_id)
        .order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(_is_older(after))
    async with database.begin() as connection:
        rows = (await connection.execute(query)).all()
        caps = await _fetch_caps(connection, [row.id for row in rows])
    return [_read_key(row, caps.get(row.id, {})) for row in rows]


async def fetch_key(database: Database, account_id: uuid.UUID, key_id: str) -> KeyRecord:
    """One key of the account. Raises KeyMissing."""
    async with database.begin() as connection:
        return await find_key(connection, account_id, key_id)


async def find_key(connection: AsyncConnection, account_id: uuid.UUID, key_id: str) -> KeyRecord:
    """As `fetch_key`, inside a transaction."""
    if not key_id.isalnum():
        raise KeyMissing("not the form of a key's id")
    query = _select_keys().where(api_keys.c.account_id == account_id, api_keys.c.id == key_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise KeyMissing(f"the account has no key {key_id!r}")
    caps = await _fetch_caps(connection, [key_id])
    return _read_key(row, caps.get(key_id, {}))


def is_live(now: datetime) -> ColumnElement[bool]:
    """`KeyRecord.is_live` for a query."""
    return and_(
        api_keys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
    )


def _select_keys() -> Select[Any]:
    return select(api_keys, key_uses.c.last_used_at).join_from(
        api_keys, key_uses, key_uses.c.key_id == api_keys.c.id, isouter=True
    )


def _is_older(place: KeyPlace) -> ColumnElement[bool]:
    return or_(
        api_keys.c.created_at < place.created_at,
        and_(api_keys.c.created_at == place.created_at, api_keys.c.id < place.id),
    )


async def _fetch_caps(
    connection: AsyncConnection, key_ids: Sequence[str]
) -> Mapping[str, dict[Period, CapState]]:
    """By the database's clock, as charges count."""
    in_period = and_(
        key_spending.c.lineage_id == key_caps.c.lineage_id,
        key_spending.c.period == key_caps.c.period,
        key_spending.c.period_start == func.farebox_period_start(key_caps.c.period, func.now()),
    )
    query = (
        select(
            key_caps.c.key_id,
            key_caps.c.period,
            key_caps.c.cap_microcredits,
            func.coalesce(key_spending.c.spent_microcredits, 0).label("spent_microcredits"),
        )
        .join_from(key_caps, key_spending, in_period, isouter=True)
        .where(key_caps.c.key_id.in_(key_ids))
    )
    caps: dict[str, dict[Period, CapState]] = {}
    for row in await connection.execute(query):
        state = CapState(Credits(row.cap_microcredits), Credits(row.spent_microcredits))
        caps.setdefault(row.key_id, {})[Period(row.period)] = state
    return caps


def _read_key(row: Row[Any], caps: Mapping[Period, CapState]) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        lineage_id=row.lineage_id,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        caps=caps,
    )
