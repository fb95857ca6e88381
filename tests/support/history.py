"""Many rows of one account's history, made by the database itself."""

from __future__ import annotations

import uuid

import asyncpg

# What is numbered before is older, as it always is.
_AGE = """
UPDATE entries SET created_at = created_at - $2::bigint * interval '1 second' WHERE account_id = $1
"""

_CHARGES = """
WITH numbers AS (
    SELECT number, gen_random_uuid() AS charge_id, now() - ($2 - number) * interval '1 second' AS at
    FROM generate_series(1, $2::bigint) AS number
),
predicted AS (
    INSERT INTO predictions (
        charge_id, account_id, key_id, request_id, model, version,
        instances, amount_microcredits, body_sha256, created_at
    )
    SELECT
        charge_id, $1, 'key' || number % 3, 'request-' || number, 'model-' || number % 5,
        (1 + number % 2)::text, 1, 1000000, decode(repeat('00', 32), 'hex'), at
    FROM numbers
)
INSERT INTO entries (
    account_id, sequence, kind, amount_microcredits, balance_microcredits, charge_id, created_at
)
SELECT $1, $3 + number, 'charge', -1000000, ($2 - number) * 1000000, charge_id, at
FROM numbers
"""


async def add_charges(
    superuser: asyncpg.Connection, account_id: uuid.UUID, count: int, *, analyze: bool = True
) -> None:
    """Charges a second apart, the last of them now; they use up what they cost."""
    async with superuser.transaction():
        before = await superuser.fetchval(
            "SELECT sequence FROM balances WHERE account_id = $1 FOR UPDATE", account_id
        )
        await superuser.execute(_AGE, account_id, count)
        await superuser.execute(_CHARGES, account_id, count, before)
        await superuser.execute(
            "UPDATE balances SET sequence = sequence + $2, posted = 0 WHERE account_id = $1",
            account_id,
            count,
        )
    if analyze:
        await superuser.execute("ANALYZE entries, predictions")
