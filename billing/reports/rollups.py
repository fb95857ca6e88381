"""Keep the sums by hour and day up to date: each entry is added to them once.

Entries are read by the transaction that wrote them, in the order of transaction ids, below the
oldest transaction under way: whatever commits later has a higher id, so none is ever skipped. The
sums and the place up to which was read are written by one transaction.
"""

from __future__ import annotations

import asyncpg

from billing.database import Database
from billing.reports.errors import FeedAhead

FEED = "rollups"
ROWS_MAX = 20_000
"""Entries read by one transaction, a tenth of a second or so. One more transaction's entries are
never cut in two, so it may be some more."""

_STATEMENT_TIMEOUT_SECONDS = 60

# Never the whole table, whatever the planner thinks of how much is new. A commit that is lost with
# the server loses the sums and the place together, so nobody has to wait for the disk.
_PREPARE = f"""
SELECT
    set_config('enable_seqscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true),
    set_config('work_mem', '32MB', true),
    set_config('synchronous_commit', 'off', true),
    set_config('statement_timeout', '{_STATEMENT_TIMEOUT_SECONDS}s', true)
"""

# A statement of its own: the next one's snapshot must be younger than the lock.
_LOCK = f"""
SELECT xid >= pg_snapshot_xmax(pg_current_snapshot()) AS is_ahead
FROM feeds
WHERE name = '{FEED}' AND (
    xid >= pg_snapshot_xmax(pg_current_snapshot())
    OR EXISTS (
        SELECT
        FROM entries
        WHERE entries.xid > feeds.xid AND entries.xid < pg_snapshot_xmin(pg_current_snapshot())
    )
)
FOR UPDATE OF feeds SKIP LOCKED
"""  # noqa: S608 - the feed's name is ours

_ADVANCE = f"""
WITH unread AS MATERIALIZED (
    SELECT
        xid, account_id, sequence, kind, amount_microcredits, charge_id, source_id,
        date_trunc('hour', created_at, 'UTC') AS hour
    FROM entries
    WHERE xid > (SELECT xid FROM feeds WHERE name = '{FEED}')
        AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid
    FETCH FIRST $1 ROWS WITH TIES
),
by_kind AS MATERIALIZED (
    SELECT
        account_id, hour, kind, count(*) AS entries,
        sum(amount_microcredits)::bigint AS amount_microcredits,
        min(sequence) AS first_sequence, max(sequence) AS last_sequence
    FROM unread
    GROUP BY account_id, hour, kind
),
by_charge AS (
    SELECT account_id, hour, charge_id, 1 AS predictions, -amount_microcredits AS charged,
        0 AS refunded
    FROM unread
    WHERE kind = 'charge'
    UNION ALL
    SELECT unread.account_id, hour, refunds.charge_id, 0, 0, unread.amount_microcredits
    FROM unread
    JOIN refunds ON refunds.id = unread.source_id
    WHERE kind = 'refund'
),
by_use AS MATERIALIZED (
    SELECT
        by_charge.account_id, hour, model, version, key_id,
        sum(by_charge.predictions)::bigint AS predictions,
        sum(by_charge.predictions * instances)::bigint AS instances,
        sum(charged)::bigint AS charged_microcredits,
        sum(refunded)::bigint AS refunded_microcredits
    FROM by_charge
    JOIN predictions USING (charge_id)
    GROUP BY by_charge.account_id, hour, model, version, key_id
),
entry_hours_added AS (
    INSERT INTO entry_hours
    SELECT * FROM by_kind ORDER BY account_id, hour, kind
    ON CONFLICT (account_id, hour, kind) DO UPDATE SET
        entries = entry_hours.entries + excluded.entries,
        amount_microcredits = entry_hours.amount_microcredits + excluded.amount_microcredits,
        first_sequence = least(entry_hours.first_sequence, excluded.first_sequence),
        last_sequence = greatest(entry_hours.last_sequence, excluded.last_sequence)
),
kind_hours_added AS (
    INSERT INTO kind_hours
    SELECT hour, kind, sum(entries), sum(amount_microcredits) FROM by_kind GROUP BY hour, kind
    ON CONFLICT (hour, kind) DO UPDATE SET
        entries = kind_hours.entries + excluded.entries,
        amount_microcredits = kind_hours.amount_microcredits + excluded.amount_microcredits
),
usage_hours_added AS (
    INSERT INTO usage_hours
    SELECT * FROM by_use ORDER BY account_id, hour
    ON CONFLICT (account_id, hour, model, version, key_id) DO UPDATE SET {{usage_hours}}
),
account_days_added AS (
    INSERT INTO account_days
    SELECT date_trunc('day', hour, 'UTC') AS day, account_id, {{sums}}
    FROM by_use
    GROUP BY day, account_id
    ORDER BY day, account_id
    ON CONFLICT (day, account_id) DO UPDATE SET {{account_days}}
),
model_hours_added AS (
    INSERT INTO model_hours
    SELECT hour, model, version, {{sums}}
    FROM by_use
    GROUP BY hour, model, version
    ON CONFLICT (hour, model, version) DO UPDATE SET {{model_hours}}
),
moved AS (
    UPDATE feeds
    SET xid = (SELECT max(xid) FROM unread)
    WHERE name = '{FEED}' AND EXISTS (SELECT FROM unread)
)
SELECT count(*) FROM unread
"""  # noqa: S608 - the feed's name is ours

_SUMS = ("predictions", "instances", "charged_microcredits", "refunded_microcredits")


def _added(table: str) -> str:
    return ", ".join(f"{each} = {table}.{each} + excluded.{each}" for each in _SUMS)


_ADVANCE_ALL = _ADVANCE.format(
    sums=", ".join(f"sum({each})" for each in _SUMS),
    **{table: _added(table) for table in ("usage_hours", "account_days", "model_hours")},
)


async def advance(database: Database, rows_max: int = ROWS_MAX) -> bool:
    """Add the next entries to the sums; whether more are waiting.

    Where another does so at this moment, nothing is done. Raises FeedAhead.
    """
    return await advance_rows(database, rows_max) >= rows_max


async def advance_rows(database: Database, rows_max: int = ROWS_MAX) -> int:
    """As `advance`: how many entries were added."""
    is_ahead = False
    async with database.connection() as connection, connection.transaction():
        await connection.execute(_PREPARE)
        locked = await connection.fetchrow(_LOCK)
        if locked is None:
            return 0
        is_ahead = locked["is_ahead"]
        if not is_ahead:
            return await _add(connection, rows_max)
    raise FeedAhead("the rollups are ahead of this server: run `farebox reports rebuild`")


async def _add(connection: asyncpg.Connection, rows_max: int) -> int:
    rows: int = await connection.fetchval(
        _ADVANCE_ALL, rows_max, timeout=_STATEMENT_TIMEOUT_SECONDS + 1
    )
    return rows
