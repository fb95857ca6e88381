"""Follow the entries of all accounts, to settle those that have new ones.

New is what transactions wrote that came after the feed's cursor and before the oldest one under
way: nothing that commits late is skipped.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.database import Database
from billing.grants.settling import ENTRIES_MAX, settle

_LOCK_CURSOR = text("""
SELECT CAST(xid AS text) FROM feeds WHERE name = 'settlement' FOR UPDATE SKIP LOCKED
""")

# WITH TIES: whole transactions, of which each is bounded.
_READ = text("""
WITH page AS MATERIALIZED (
    SELECT xid, account_id
    FROM entries
    WHERE xid > CAST(CAST(:cursor AS text) AS xid8)
        AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid
    FETCH FIRST :entries_max ROWS WITH TIES
)
SELECT array_agg(DISTINCT account_id), CAST(max(xid) AS text), count(*)
FROM page
""")

_MOVE_CURSOR = text("""
UPDATE feeds SET xid = CAST(CAST(:cursor AS text) AS xid8) WHERE name = 'settlement'
""")


@dataclass(frozen=True, slots=True)
class _Page:
    account_ids: list[uuid.UUID]
    last_xid: str | None
    entries: int


async def settle_feed(database: Database, entries_max: int = ENTRIES_MAX) -> bool:
    """Settle what is next, in one transaction; whether more is waiting.

    Any number may run at once: one works, the others find nothing to do.
    """
    async with database.begin() as connection:
        cursor = (await connection.execute(_LOCK_CURSOR)).scalar_one_or_none()
        if cursor is None:
            return False
        page = await _read(connection, cursor, entries_max)
        if page.last_xid is None:
            return False
        if await settle(connection, page.account_ids, entries_max) == entries_max:
            # Not all of the page: what is done is kept, and the same page is read again.
            return True
        await connection.execute(_MOVE_CURSOR, {"cursor": page.last_xid})
    return page.entries >= entries_max


async def _read(connection: AsyncConnection, cursor: str, entries_max: int) -> _Page:
    found = await connection.execute(_READ, {"cursor": cursor, "entries_max": entries_max})
    account_ids, last_xid, entries = found.one()
    return _Page(account_ids or [], last_xid, entries)
