"""One look at the rollups: all queries of a report see the same moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg

from billing.database import Database

# Reports read very different amounts: a plan for the times asked for pays, and so does memory for
# what is grouped (timeline of 90 days by the hour: 607 ms with the server's 4 MB on disk).
_PREPARE = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL work_mem = '32MB'"

# The first entry that is not in the rollups, if there is one.
_AS_OF = """
SELECT coalesce(
    (
        SELECT created_at
        FROM entries
        WHERE xid > (SELECT xid FROM feeds WHERE name = 'rollups')
        ORDER BY xid
        LIMIT 1
    ),
    now()
)
"""


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that writes nothing and sees one moment."""
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(_PREPARE)
        yield connection


async def fetch_as_of(connection: asyncpg.Connection) -> datetime:
    """Up to when the rollups have come: now, unless entries wait to be added.

    An entry's time is the beginning of its transaction, so one that was under way may still come
    in a little before it: seconds, by the limits on our statements.
    """
    as_of: datetime = await connection.fetchval(_AS_OF)
    return as_of
