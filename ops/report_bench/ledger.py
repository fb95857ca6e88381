"""A large ledger of generated rows: what so many predictions leave, without making each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from ops.generated_ledger import ACCOUNT_ID, CHARGE_ID, XID, burn_transaction_ids, cut


@dataclass(frozen=True, slots=True)
class Size:
    """How much to generate."""

    predictions: int
    accounts: int
    days: int

    def chunks(self) -> Iterator[tuple[int, int]]:
        """First and last number of each day's predictions."""
        return cut(self.predictions, self.days)


_SQUARED = "floor($3 * power((hashint8(number) & 2147483647) / 2147483648.0, 2))::bigint + 1"

# A few accounts do most: the square of an even number. One prediction in 1,000 is refunded.
_NUMBERS = f"""
SELECT
    number, {CHARGE_ID} AS charge_id, {ACCOUNT_ID.format(number=_SQUARED)} AS account_id,
    (ARRAY['android-malware', 'spam', 'fraud'])[1 + number % 3] AS model,
    (1 + number / 7 % 4)::integer AS instances,
    $4::timestamptz + $5::interval * number AS created_at,
    {XID} AS xid
FROM generate_series($1::bigint, $2::bigint) AS number
"""  # noqa: S608 - no input of anybody's

_PREDICTIONS = f"""
INSERT INTO predictions
SELECT charge_id, account_id, 'key-' || right(account_id::text, 6), 'generated', model,
    '1', instances, instances * 1000000::bigint, '\\x{"00" * 32}', created_at
FROM ({_NUMBERS}) AS numbers
"""  # noqa: S608 - no input of anybody's

_ENTRIES = f"""
INSERT INTO entries (
    account_id, sequence, kind, amount_microcredits, balance_microcredits, charge_id,
    created_at, xid
)
SELECT account_id, 2 * number, 'charge', instances * -1000000::bigint, 0, charge_id, created_at, xid
FROM ({_NUMBERS}) AS numbers
"""  # noqa: S608

_REFUNDS = f"""
WITH refunded AS (
    INSERT INTO refunds (id, account_id, charge_id, amount_microcredits, reason, created_at)
    SELECT charge_id, account_id, charge_id, 500000, 'generated', created_at
    FROM ({_NUMBERS}) AS numbers
    WHERE number % 1000 = 0
    RETURNING id
)
INSERT INTO entries (
    account_id, sequence, kind, amount_microcredits, balance_microcredits, source_id,
    created_at, xid
)
SELECT account_id, 2 * number + 1, 'refund', 500000, 0, charge_id, created_at, xid
FROM ({_NUMBERS}) AS numbers
WHERE number % 1000 = 0
"""  # noqa: S608

_TOP_UPS = f"""
INSERT INTO entries (
    account_id, sequence, kind, amount_microcredits, balance_microcredits, source_id,
    created_at, xid
)
SELECT {ACCOUNT_ID.format(number="number")}, 1, 'top_up',
    1000000000, 0, uuidv7(), $2, '3'
FROM generate_series(1, $1::bigint) AS number
"""  # noqa: S608

_ACCOUNTS = f"""
INSERT INTO accounts (id, name)
SELECT {ACCOUNT_ID.format(number="number")}, 'account ' || number
FROM generate_series(1, $1::bigint) AS number
"""  # noqa: S608

# Two replicas' last day by the minute, what was before by the hour: as the bookkeeper leaves it.
_MINUTES = """
INSERT INTO {table}_minutes
SELECT minute, replica_id, {column}, 1 + number
FROM generate_series(
        $1::timestamptz - interval '1 day', $1::timestamptz - interval '1 s', '1 min'
    ) AS minute,
    unnest($2::uuid[]) AS replica_id, {values}
"""
_HOURS = """
INSERT INTO {table}_hours
SELECT hour, {column}, 60 * (1 + number)
FROM generate_series(
    $2::timestamptz, $1::timestamptz - interval '25 hours', '1 hour'
) AS hour, {values}
"""
_OUTCOMES = (
    "unnest(ARRAY['charged', 'replayed', 'insufficient_credits', 'queue_full', 'internal_error'])"
    " WITH ORDINALITY AS outcome (outcome, number)"
)
_BUCKETS = "generate_series(20, 79) AS bucket, LATERAL (SELECT bucket % 7 AS number) AS numbers"


async def generate(connection: asyncpg.Connection, size: Size, until: datetime) -> None:
    """Fill a migrated, empty database, as its owner."""
    begin = until - timedelta(days=size.days)
    # Rounded down: rounded up, the last one would stand at `until`, which is not in the reports.
    step = timedelta(microseconds=(until - begin) // timedelta(microseconds=size.predictions + 1))
    await burn_transaction_ids(connection, size.predictions)
    await connection.execute(_ACCOUNTS, size.accounts)
    await connection.execute(_TOP_UPS, size.accounts, begin)
    for first, last in size.chunks():
        for statement in (_PREDICTIONS, _ENTRIES, _REFUNDS):
            await connection.execute(statement, first, last, size.accounts, begin, step)
    replicas = [f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2)]
    for table, column, values in (
        ("request", "outcome", _OUTCOMES),
        ("latency", "bucket", _BUCKETS),
    ):
        names = {"table": table, "column": column, "values": values}
        await connection.execute(_MINUTES.format(**names), until, replicas)
        await connection.execute(_HOURS.format(**names), until, begin)
    await connection.execute("VACUUM ANALYZE")
