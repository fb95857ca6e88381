"""Generates the grown ledger: rows as so many charges leave them, which `farebox reconcile` passes.

Every account was granted the same and charged in turn, one credit at a time; all of it is settled.
Reports are not: the rollups start behind the generated entries, whose sums they never saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg

from ops.generated_ledger import ACCOUNT_ID, CHARGE_ID, XID, burn_transaction_ids, cut
from ops.growth_bench.indexes import build, take_off
from ops.growth_bench.size import DAYS, Size

Say = Callable[[str], None]

GRANTED_MICROCREDITS = 10**12
_CHARGE_MICROCREDITS = 10**6
_CHARGES_A_PART = 500_000
_SMALL_TABLES = ("balances", "grants", "settled", "grant_uses", "answers")
_LARGE_TABLES = ("predictions", "entries")

# Room for the whole sort of an index; what a crash loses is made again.
_PREPARE = """
SET synchronous_commit = off;
SET maintenance_work_mem = '1GB';
SET max_parallel_maintenance_workers = 2;
"""
_WIDE_LOG = ("ALTER SYSTEM SET max_wal_size = '8GB'", "SELECT pg_reload_conf()")
_USUAL_LOG = ("ALTER SYSTEM RESET max_wal_size", "SELECT pg_reload_conf()", "CHECKPOINT")

# $1 to $2: numbers of charges; $3: accounts; $4: the time of charge 0; $5: from one to the next.
_NUMBERS = f"""
SELECT
    number, {CHARGE_ID} AS charge_id, {ACCOUNT_ID.format(number="(number - 1) % $3 + 1")}
        AS account_id,
    (number - 1) / $3 + 1 AS place, $4::timestamptz + $5::interval * number AS created_at,
    {XID} AS xid
FROM generate_series($1::bigint, $2::bigint) AS number
"""  # noqa: S608 - no input of anybody's

_PREDICTIONS = f"""
INSERT INTO predictions (
    charge_id, account_id, key_id, request_id, model, version, instances, amount_microcredits,
    body_sha256, created_at
)
SELECT
    charge_id, account_id, right(charge_id::text, 17), gen_random_uuid()::text, 'android-malware',
    '1', 1, {_CHARGE_MICROCREDITS}, uuid_send(charge_id) || uuid_send(charge_id), created_at
FROM ({_NUMBERS}) AS numbers
"""  # noqa: S608

_ENTRIES = f"""
INSERT INTO entries (
    account_id, sequence, kind, amount_microcredits, balance_microcredits, charge_id, created_at,
    xid
)
SELECT
    account_id, 1 + place, 'charge', -{_CHARGE_MICROCREDITS},
    {GRANTED_MICROCREDITS} - place * {_CHARGE_MICROCREDITS}, charge_id, created_at, xid
FROM ({_NUMBERS}) AS numbers
"""  # noqa: S608

_ANSWERS = f"""
INSERT INTO answers (charge_id, inputs, predictions, created_at)
SELECT
    charge_id, substr(sha256(uuid_send(charge_id)), 1, 31),
    convert_to('[{{"label":"malware","probability":0.21418373122129097}}]', 'UTF8'), created_at
FROM ({_NUMBERS}) AS numbers
"""  # noqa: S608

# $1: accounts; $2: charges; $3: when each was granted its credits.
_OF_ACCOUNTS = f"""
CREATE TEMPORARY TABLE made AS
SELECT
    number, {ACCOUNT_ID.format(number="number")} AS account_id,
    $2::bigint / $1::bigint + (number <= $2::bigint % $1::bigint)::integer AS charges,
    $3::timestamptz AS created_at
FROM generate_series(1, $1::bigint) AS number
"""  # noqa: S608

_BY_ACCOUNT = f"""
INSERT INTO accounts (id, name, created_at)
SELECT account_id, 'account ' || number, created_at FROM made;

INSERT INTO balances (account_id, posted, sequence)
SELECT account_id, {GRANTED_MICROCREDITS} - charges * {_CHARGE_MICROCREDITS}, 1 + charges
FROM made;

INSERT INTO entries (
    account_id, sequence, kind, amount_microcredits, balance_microcredits, reason, created_at, xid
)
SELECT
    account_id, 1, 'grant', {GRANTED_MICROCREDITS}, {GRANTED_MICROCREDITS}, 'generated',
    created_at, '3'
FROM made;

INSERT INTO grants (
    id, account_id, sequence, origin, priority, amount_microcredits, remaining_microcredits,
    reason, created_at
)
SELECT
    account_id, account_id, 1, 'grant', 50, {GRANTED_MICROCREDITS},
    {GRANTED_MICROCREDITS} - charges * {_CHARGE_MICROCREDITS}, 'generated', created_at
FROM made;

INSERT INTO settled (account_id, sequence) SELECT account_id, 1 + charges FROM made;

INSERT INTO grant_uses (
    account_id, last_sequence, grant_id, first_sequence, first_microcredits, last_microcredits,
    amount_microcredits
)
SELECT
    account_id, 1 + charges, account_id, 2, {_CHARGE_MICROCREDITS}, {_CHARGE_MICROCREDITS},
    charges * {_CHARGE_MICROCREDITS}
FROM made
WHERE charges > 0;
"""  # noqa: S608

# Settled, and never to be rolled up: what comes after is what the product has to do.
_MOVE_FEEDS = "UPDATE feeds SET xid = (SELECT max(xid) FROM entries)"


async def generate(connection: asyncpg.Connection, size: Size, until: datetime, say: Say) -> None:
    """Fill a migrated database without charges, as its superuser; the last one stands at `until`.

    Its indexes are built afterwards, as full as random insertions leave them.
    """
    for statement in _WIDE_LOG:
        await connection.execute(statement)
    await connection.execute(_PREPARE)
    await burn_transaction_ids(connection, size.charges)
    indexes = await take_off(connection, (*_SMALL_TABLES, *_LARGE_TABLES))
    begin = until - timedelta(days=DAYS)
    await connection.execute(_OF_ACCOUNTS, size.accounts, size.charges, begin)
    await connection.execute(_BY_ACCOUNT)
    say(f"made {size.accounts:,} accounts")
    await _charge(connection, size, begin, say)
    for place, index in enumerate(indexes, 1):
        began = time.monotonic()
        await build(connection, index)
        seconds = time.monotonic() - began
        say(f"index {place} of {len(indexes)}, {index.name}: {seconds:.0f} s")
    await connection.execute(_MOVE_FEEDS)
    say("vacuuming")
    await connection.execute("VACUUM ANALYZE")
    for statement in _USUAL_LOG:
        await connection.execute(statement)


async def _charge(connection: asyncpg.Connection, size: Size, begin: datetime, say: Say) -> None:
    began = time.monotonic()
    parts = -(-size.charges // _CHARGES_A_PART)
    for first, last in cut(size.charges, parts):
        arguments = (first, last, size.accounts, begin, size.step)
        await connection.execute(_PREDICTIONS, *arguments)
        await connection.execute(_ENTRIES, *arguments)
        if last >= size.first_answered:
            first_answered = max(first, size.first_answered)
            await connection.execute(_ANSWERS, first_answered, *arguments[1:])
        seconds = time.monotonic() - began
        left = seconds / last * (size.charges - last)
        say(f"made {last:,} of {size.charges:,} charges, {left:.0f} s left, then the indexes")
