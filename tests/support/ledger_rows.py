"""Entries, predictions and refunds at random, and what the rollups of them must be."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg

from billing.tables import entries

MODELS = (("malware", "1"), ("malware", "2"), ("spam", "1"))
KEYS = ("key-a", "key-b")
BEGIN = datetime(2026, 1, 30, 22, tzinfo=UTC)
"""Two days and a bit before the end of a month."""

_ENTRY_COLUMNS = [column.name for column in entries.columns if column.name != "xid"]


async def write_entries(
    connection: asyncpg.Connection,
    random: Random,
    account_ids: Sequence[uuid.UUID],
    count: int,
    *,
    begin: datetime = BEGIN,
    hours: int = 100,
) -> None:
    """In one transaction, around `begin` and for so many hours after; some refund earlier ones."""
    async with connection.transaction():
        for _ in range(count):
            created_at = begin + timedelta(seconds=random.randrange(hours * 3600))
            await _write_entry(connection, random, random.choice(account_ids), created_at)


async def _write_entry(
    connection: asyncpg.Connection, random: Random, account_id: uuid.UUID, created_at: datetime
) -> None:
    before = await connection.fetchrow(
        "SELECT sequence, balance_microcredits AS balance FROM entries WHERE account_id = $1"
        " ORDER BY sequence DESC LIMIT 1",
        account_id,
    )
    sequence, balance = (before["sequence"], before["balance"]) if before else (0, 0)
    kind = random.choice(["charge"] * 6 + ["refund", "top_up", "grant", "expiry", "adjustment"])
    amount = random.randrange(1, 5_000_000)
    charge_id, source_id = None, uuid.UUID(int=random.getrandbits(128))
    if kind == "charge":
        amount, charge_id = -min(amount, balance), source_id
        await _write_prediction(
            connection, random, account_id, charge_id, amount=-amount, created_at=created_at
        )
    elif kind == "refund":
        charged = await connection.fetchval(
            "SELECT charge_id FROM predictions WHERE account_id = $1 ORDER BY charge_id LIMIT 1",
            account_id,
        )
        if charged is None:
            return
        await connection.execute(
            "INSERT INTO refunds (id, account_id, charge_id, amount_microcredits, reason)"
            " VALUES ($1, $2, $3, $4, 'test')",
            *(source_id, account_id, charged, amount),
        )
    elif kind in ("expiry", "adjustment"):
        amount = -min(amount, balance)
        if amount == 0:
            return
    await connection.execute(
        f"INSERT INTO entries ({', '.join(_ENTRY_COLUMNS)})"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'test', $8)",
        *(account_id, sequence + 1, kind, amount, balance + amount, charge_id),
        *(None if kind == "charge" else source_id, created_at),
    )


async def _write_prediction(
    connection: asyncpg.Connection,
    random: Random,
    account_id: uuid.UUID,
    charge_id: uuid.UUID,
    *,
    amount: int,
    created_at: datetime,
) -> None:
    model, version = random.choice(MODELS)
    await connection.execute(
        "INSERT INTO predictions VALUES ($1, $2, $3, 'r', $4, $5, $6, $7, sha256(''), $8)",
        *(charge_id, account_id, random.choice(KEYS), model, version, random.randrange(1, 9)),
        *(amount, created_at),
    )


_USE = """
SELECT use.account_id, use.created_at, model, version, key_id, use.predictions,
    use.predictions * instances AS instances, charged, refunded
FROM (
    SELECT account_id, created_at, charge_id, 1 AS predictions, -amount_microcredits AS charged,
        0 AS refunded
    FROM entries WHERE kind = 'charge'
    UNION ALL
    SELECT entries.account_id, entries.created_at, refunds.charge_id, 0, 0,
        entries.amount_microcredits
    FROM entries JOIN refunds ON refunds.id = source_id WHERE kind = 'refund'
) AS use
JOIN predictions USING (charge_id)
"""
_SUMS = (
    "sum(predictions)::bigint, sum(instances)::bigint, sum(charged)::bigint, sum(refunded)::bigint"
)
_HOUR = "date_trunc('hour', created_at, 'UTC')"
_DAY = "date_trunc('day', created_at, 'UTC')"

RAW_SUMS = {
    "entry_hours": f"SELECT account_id, {_HOUR}, kind, count(*), sum(amount_microcredits)::bigint,"
    " min(sequence), max(sequence) FROM entries GROUP BY 1, 2, 3",
    "kind_hours": f"SELECT {_HOUR}, kind, count(*), sum(amount_microcredits)::bigint"
    " FROM entries GROUP BY 1, 2",
    "usage_hours": f"SELECT account_id, {_HOUR}, model, version, key_id, {_SUMS}"
    f" FROM ({_USE}) AS use GROUP BY 1, 2, 3, 4, 5",
    "account_days": f"SELECT {_DAY}, account_id, {_SUMS} FROM ({_USE}) AS use GROUP BY 1, 2",
    "model_hours": f"SELECT {_HOUR}, model, version, {_SUMS} FROM ({_USE}) AS use GROUP BY 1, 2, 3",
}
"""By the rollup's table: the same rows, added up from the ledger itself."""


async def assert_rollups_equal_raw_sums(connection: asyncpg.Connection) -> None:
    """Every rollup has the rows it must have, and no other."""
    for table, raw in RAW_SUMS.items():
        for first, second in ((f"SELECT * FROM {table}", raw), (raw, f"SELECT * FROM {table}")):
            left = await connection.fetch(f"{first} EXCEPT ALL {second}")
            assert [tuple(row) for row in left] == [], table
