"""What the ledgers that benchmarks generate have in common: ids, transactions, parts."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg

CHARGES_A_TRANSACTION = 100
FIRST_XID = 3
"""The first id that a server gives to a transaction."""

ACCOUNT_ID = "('00000000-0000-0000-0000-' || lpad(to_hex({number}), 12, '0'))::uuid"
"""Of the account of that number."""

CHARGE_ID = "md5(number::text)::uuid"
"""Random as real ones are, so that indexes of them are as hard on the cache."""

XID = f"({FIRST_XID} + number / {CHARGES_A_TRANSACTION})::text::xid8"
"""Of the transaction that may have written that charge; its id must be burnt."""

# Transaction ids that this server has behind it, so that generated rows can carry them.
_BURN_IDS = """
DO $$
BEGIN
    SET LOCAL synchronous_commit = off;
    FOR number IN 1..{count} LOOP
        PERFORM pg_current_xact_id();
        COMMIT;
    END LOOP;
END $$
"""


async def burn_transaction_ids(connection: asyncpg.Connection, charges: int) -> None:
    """Put the ids of `XID` behind this server, for so many charges."""
    count = charges // CHARGES_A_TRANSACTION + 2 * FIRST_XID
    await connection.execute(_BURN_IDS.format(count=count))


def cut(rows: int, parts: int) -> Iterator[tuple[int, int]]:
    """First and last number of each part of `rows` rows, which are counted from 1."""
    for part in range(parts):
        yield rows * part // parts + 1, rows * (part + 1) // parts
