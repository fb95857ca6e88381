"""Prune stored answers; charges and their ids are kept for ever."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from billing.database import Database
from billing.errors import LedgerUnavailable

_CHUNK_ROWS_MAX = 5_000
"""Rows deleted by one transaction: milliseconds, so that vacuum and standbys keep up."""

_CHUNK_PAUSE_SECONDS = 0.05
"""Between two chunks, so that a prune of millions leaves most of the time to the charges: it can
still delete far more than anybody can store."""

_PAUSE_SECONDS = 600.0
"""How late an answer may go: small beside the hours it is kept."""

# By place: looking each up by its id again took ten times as long. A row that another prune has
# deleted meanwhile is passed over, and none is ever updated or moved. Oldest first, so that the
# scan begins where the last one ended and never reads what is to be kept.
_PRUNE_CHUNK = """
DELETE FROM answers
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM answers
    WHERE created_at < now() - $1::interval
    ORDER BY created_at
    LIMIT $2
))
"""


async def keep_pruned(
    database: Database, older_than: timedelta, pause_seconds: float = _PAUSE_SECONDS
) -> None:
    """Prune again and again until cancelled; a database out of reach is tried next time.

    Any number of these may run beside each other: a row is deleted by whoever comes first.
    """
    while True:
        with suppress(LedgerUnavailable):
            await prune_answers(database, older_than)
        await asyncio.sleep(pause_seconds)


async def prune_answers(database: Database, older_than: timedelta) -> int:
    """Delete answers of that age by the database's clock; how many there were.

    Afterwards a retry of their charges ends as AnswerExpired, free of charge.
    """
    pruned = 0
    async with database.connection() as connection:
        while True:
            status = await connection.execute(_PRUNE_CHUNK, older_than, _CHUNK_ROWS_MAX)
            rows = int(status.removeprefix("DELETE "))
            pruned += rows
            if rows < _CHUNK_ROWS_MAX:
                return pruned
            await asyncio.sleep(_CHUNK_PAUSE_SECONDS)
