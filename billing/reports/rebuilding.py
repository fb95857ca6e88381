"""Make the rollups anew from the ledger, by the owner of the tables."""

from __future__ import annotations

import asyncpg

from billing.audit.actions import COMMAND_LINE
from billing.database import Database
from billing.reports.rollups import FEED, ROWS_MAX, advance_rows

_ROLLUPS = ("entry_hours", "usage_hours", "account_days", "model_hours", "kind_hours")

_LOCK = f"SELECT FROM feeds WHERE name = '{FEED}' FOR UPDATE"

_IS_FOREIGN = """
SELECT greatest((SELECT max(xid) FROM entries), (SELECT max(xid) FROM feeds))
    >= pg_snapshot_xmax(pg_current_snapshot())
"""

# Squeezed into what this server has behind it, in the same order, by equal parts: a batch of the
# rollups ends where a transaction id does.
_ADOPT = """
UPDATE entries
SET xid = (3 + floor(
    (entries.xid::text::numeric - first) * room / greatest(last - first + 1, room)
))::bigint::text::xid8
FROM (
    SELECT
        pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 3 AS room,
        (SELECT min(xid) FROM entries)::text::numeric AS first,
        (SELECT max(xid) FROM entries)::text::numeric AS last
) AS span
"""


async def rebuild(database_url: str, database: Database, rows_max: int = ROWS_MAX) -> int:
    """Forget the rollups and add up every entry again; how many there were.

    `database_url` is the owner's. Entries that came by a dump from another server carry that
    server's transaction ids: where those are not in this one's past, they are brought there, and
    every feed begins again.
    """
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await _begin_again(connection)
    finally:
        await connection.close()
    entries = 0
    while rows := await advance_rows(database, rows_max):
        entries += rows
    return entries


async def _begin_again(connection: asyncpg.Connection) -> None:
    await connection.execute(_LOCK)
    if await connection.fetchval(_IS_FOREIGN):
        await connection.execute(_ADOPT)
        await connection.execute("UPDATE feeds SET xid = '0'")
    await connection.execute("UPDATE feeds SET xid = '0' WHERE name = $1", FEED)
    for table in _ROLLUPS:
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    await connection.execute(
        "INSERT INTO audit (actor_role, action) VALUES ($1, 'rebuild_reports')", COMMAND_LINE.role
    )
