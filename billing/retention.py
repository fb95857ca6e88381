"""Prune stored answers; charges and their ids are kept for ever."""

from __future__ import annotations

from datetime import timedelta

from billing.database import Database

_CHUNK_ROWS_MAX = 5_000
"""Rows deleted by one transaction: milliseconds, so that vacuum and standbys keep up."""

_PRUNE_CHUNK = """
DELETE FROM answers
WHERE charge_id = ANY(ARRAY(
    SELECT charge_id FROM answers WHERE created_at < now() - $1::interval LIMIT $2
))
"""


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
