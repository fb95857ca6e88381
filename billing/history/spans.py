"""From times to sequences: where in an account's entries a time lies.

An account's entries are numbered without a gap as they are committed, and `created_at` is when
their transaction began. So it follows the number but for the seconds that a transaction lives:
a binary search over the primary key finds a time with some 25 look-ups in 10,000,000 entries, and a
margin far above those seconds makes up for the disorder. The rollups by hour know first and last
sequences too, but lag behind, so that the newest entries would need a second way.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import DateTime, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.errors import AccountMissing
from billing.history.values import Span

_DISORDER_MAX = timedelta(minutes=5)
"""Statements are cut off after 5 s and idle transactions after 10 s; the rest is for a clock that
was set back."""

# Always: the entry `low` is older than the time, the entry `high` is not. Nothing is assumed of
# those between, so both hold for what is found whatever the order is.
_FIND = text("""
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, CAST(:last AS bigint) + 1
    UNION ALL
    SELECT
        CASE WHEN middle.created_at < :time THEN middle.sequence ELSE low END,
        CASE WHEN middle.created_at < :time THEN high ELSE middle.sequence END
    FROM search
    CROSS JOIN LATERAL (
        SELECT sequence, created_at
        FROM entries
        WHERE account_id = :account_id AND sequence = (low + high) / 2
        OFFSET 0
    ) AS middle
    WHERE high - low > 1
)
SELECT low, high FROM search ORDER BY high - low LIMIT 1
""").bindparams(bindparam("account_id", type_=Uuid), bindparam("time", type_=DateTime(True)))

_LAST = text("SELECT sequence FROM balances WHERE account_id = :account_id").bindparams(
    bindparam("account_id", type_=Uuid)
)


async def find_span(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    since: datetime | None,
    until: datetime | None,
) -> Span:
    """Every entry from `since` to before `until` is in the span, and few others.

    Without times it is all that was committed so far. Raises AccountMissing.
    """
    last: int | None = (
        await connection.execute(_LAST, {"account_id": account_id})
    ).scalar_one_or_none()
    if last is None:
        raise AccountMissing(f"there is no account {account_id}")
    span = Span(0, last)
    if since is not None:
        low, _ = await _find(connection, account_id, last, since - _DISORDER_MAX)
        span = Span(low, last)
    if until is not None:
        _, high = await _find(connection, account_id, last, until + _DISORDER_MAX)
        span = span.before(high)
    return span


async def _find(
    connection: AsyncConnection, account_id: uuid.UUID, last: int, time: datetime
) -> tuple[int, int]:
    parameters = {"account_id": account_id, "last": last, "time": time}
    low, high = (await connection.execute(_FIND, parameters)).one()
    return low, high
