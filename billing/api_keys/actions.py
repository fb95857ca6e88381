"""Make, rotate, change and revoke keys, and note their use. Each is one transaction.

What changes how many keys live, or what they may spend, holds the account's row: one at a time.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.api_keys.errors import (
    KeyAlreadyMade,
    KeyEnded,
    RotationUnderWay,
    TooManyKeys,
)
from billing.api_keys.queries import find_key, is_live
from billing.api_keys.tables import key_caps
from billing.api_keys.values import KeyChanges, KeyRecord, NewKey, Period
from billing.credits import Credits
from billing.database import Database
from billing.errors import AccountMissing
from billing.keys import ApiKey, Randomness, generate_key, hash_secret, make_key_id
from billing.tables import accounts, api_keys

_LINEAGE_KEYS_MAX = 2

_USES_NOTED = text("""
INSERT INTO key_uses (key_id, last_used_at)
SELECT key_id, :now
FROM unnest(CAST(:key_ids AS text[])) AS used (key_id)
ORDER BY key_id
ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at
WHERE key_uses.last_used_at < excluded.last_used_at - interval '30 seconds'
""")

_SET_CAP = text("""
INSERT INTO key_caps (key_id, period, lineage_id, cap_microcredits)
SELECT id, :period, lineage_id, :cap
FROM api_keys
WHERE lineage_id = :lineage_id
ON CONFLICT (key_id, period) DO UPDATE SET cap_microcredits = excluded.cap_microcredits
""")

# A charge that began before this commits goes by the cap of then: it may not be the one that
# makes the period's row. Just before midnight, UTC, the next period's is made too.
_SET_SPENDING_CAP = text("""
INSERT INTO key_spending (lineage_id, period, period_start, spent_microcredits, cap_microcredits)
SELECT DISTINCT
    CAST(:lineage_id AS text), CAST(:period AS text), farebox_period_start(:period, at), 0,
    CAST(:cap AS bigint)
FROM (VALUES (now()), (now() + interval '1 minute')) AS moments (at)
ORDER BY 3
ON CONFLICT (lineage_id, period, period_start) DO UPDATE
SET cap_microcredits = greatest(key_spending.spent_microcredits, excluded.cap_microcredits)
""")

_REMOVE_CAP = (
    text("DELETE FROM key_caps WHERE lineage_id = :lineage_id AND period = :period"),
    text("DELETE FROM key_spending WHERE lineage_id = :lineage_id AND period = :period"),
)

# An hour late, so that no charge that began before midnight still counts in what is deleted. What
# was spent in all is in no past period.
_PRUNE_SPENDING = text("""
DELETE FROM key_spending
WHERE (lineage_id, period, period_start) IN (
    SELECT lineage_id, period, period_start
    FROM key_spending
    WHERE period <> 'total'
        AND period_start < farebox_period_start(period, now() - interval '1 hour')
    LIMIT :rows_max
    FOR UPDATE SKIP LOCKED
)
""")
_PRUNED_ROWS_MAX = 5_000


async def make_key(
    database: Database,
    key_hash_secret: SecretStr,
    account_id: uuid.UUID,
    request_id: uuid.UUID,
    new: NewKey,
    *,
    live_keys_max: int,
    now: datetime,
    randomness: Randomness = secrets.token_bytes,
) -> ApiKey:
    """A new key of the account, its secret known this once.

    Raises KeyAlreadyMade for the same `request_id` again, TooManyKeys, and AccountMissing, also
    for a closed account.
    """
    api_key = generate_key(randomness, make_key_id(request_id))
    async with database.begin() as connection:
        await _lock_account(connection, account_id)
        await _refuse_made(connection, api_key.id)
        await _check_room(connection, account_id, live_keys_max, now)
        await store_key(connection, key_hash_secret, account_id, api_key, new, now=now)
        if new.caps:
            await connection.execute(
                insert(key_caps),
                [
                    {
                        "key_id": api_key.id,
                        "period": period,
                        "lineage_id": api_key.id,
                        "cap_microcredits": cap.microcredits,
                    }
                    for period, cap in new.caps.items()
                ],
            )
    return api_key


async def rotate_key(
    database: Database,
    key_hash_secret: SecretStr,
    account_id: uuid.UUID,
    key_id: str,
    request_id: uuid.UUID,
    *,
    expires_at: datetime | None = None,
    old_expires_at: datetime | None = None,
    live_keys_max: int,
    now: datetime,
    randomness: Randomness = secrets.token_bytes,
) -> ApiKey:
    """A second live key that may do and spend what the first may; what they spend counts together.

    `expires_at` is the new one's: left out, that of the old one, which lives until it is revoked
    or until `old_expires_at` if that is sooner. Raises KeyMissing, KeyEnded, RotationUnderWay,
    KeyAlreadyMade for the same `request_id` again, and TooManyKeys.
    """
    api_key = generate_key(randomness, make_key_id(request_id))
    async with database.begin() as connection:
        await _lock_account(connection, account_id)
        old = await _find_live(connection, account_id, key_id, now, made=api_key.id)
        await _refuse_second_rotation(connection, old, now)
        await _check_room(connection, account_id, live_keys_max, now)
        new = NewKey(old.name, old.scopes, expires_at or old.expires_at)
        await store_key(
            connection, key_hash_secret, account_id, api_key, new, lineage=old.lineage_id, now=now
        )
        await _copy_caps(connection, old.id, api_key.id)
        if old_expires_at is not None and (
            old.expires_at is None or old_expires_at < old.expires_at
        ):
            await _update_key(connection, old.id, {"expires_at": old_expires_at})
    return api_key


async def change_key(
    database: Database, account_id: uuid.UUID, key_id: str, changes: KeyChanges, now: datetime
) -> KeyRecord:
    """The key after the changes; caps are those of its whole lineage.

    A cap below what was spent already refuses all more. A new cap counts from now on. Raises
    KeyMissing and KeyEnded.
    """
    columns: dict[str, object] = {}
    if changes.name is not None:
        columns["name"] = changes.name
    if changes.sets_expiry:
        columns["expires_at"] = changes.expires_at
    async with database.begin() as connection:
        await _lock_account(connection, account_id)
        key = await _find_live(connection, account_id, key_id, now)
        if columns:
            await _update_key(connection, key.id, columns)
        # In the order in which charges take the rows.
        for period in sorted(changes.caps):
            await _set_cap(connection, key.lineage_id, period, changes.caps[period])
        return await find_key(connection, account_id, key_id)


async def end_key(database: Database, account_id: uuid.UUID, key_id: str) -> None:
    """Revoke a key of the account; one that was revoked stays so. Raises KeyMissing."""
    async with database.begin() as connection:
        await find_key(connection, account_id, key_id)
        await mark_revoked(connection, key_id)


async def note_uses(database: Database, key_ids: Collection[str], now: datetime) -> None:
    """Write down that these keys were used just now; nothing goes back in time."""
    async with database.begin() as connection:
        await connection.execute(_USES_NOTED, {"key_ids": list(key_ids), "now": now})


async def prune_spending(database: Database, *, rows_max: int = _PRUNED_ROWS_MAX) -> bool:
    """Delete what was spent in past days and months, by the clock that charges count by.

    Whether there may be more than `rows_max`. Several may run at once.
    """
    async with database.begin() as connection:
        pruned = await connection.execute(_PRUNE_SPENDING, {"rows_max": rows_max})
    return pruned.rowcount == rows_max


async def store_key(
    connection: AsyncConnection,
    key_hash_secret: SecretStr,
    account_id: uuid.UUID,
    api_key: ApiKey,
    new: NewKey,
    *,
    lineage: str | None = None,
    now: datetime | None = None,
) -> None:
    """Write a key without its caps. `lineage` left out: one of its own."""
    values: dict[str, object] = {
        "id": api_key.id,
        "account_id": account_id,
        "secret_hash": hash_secret(api_key, key_hash_secret.get_secret_value().encode()),
        "name": new.name,
        "scopes": sorted(new.scopes),
        "expires_at": new.expires_at,
        "lineage_id": lineage or api_key.id,
    }
    if now is not None:
        values["created_at"] = now
    await connection.execute(insert(api_keys).values(values))


async def mark_revoked(connection: AsyncConnection, key_id: str) -> bool:
    """Make a key useless for ever; every listener is told. False: no such key in use."""
    query = (
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return (await connection.execute(query)).rowcount == 1


async def _lock_account(connection: AsyncConnection, account_id: uuid.UUID) -> None:
    """A closed account is missing too: who was signed in when it closed gets no new key."""
    query = select(accounts.c.id).where(accounts.c.id == account_id, accounts.c.closed_at.is_(None))
    found = await connection.execute(query.with_for_update(key_share=True))
    if found.one_or_none() is None:
        raise AccountMissing(f"there is no account {account_id}")


async def _find_live(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    key_id: str,
    now: datetime,
    *,
    made: str | None = None,
) -> KeyRecord:
    """`made`: the id of the key to be made, which an earlier request may have made before."""
    key = await find_key(connection, account_id, key_id)
    if made is not None:
        await _refuse_made(connection, made)
    if not key.is_live(now):
        raise KeyEnded(f"{key_id} was revoked or has expired")
    return key


async def _refuse_made(connection: AsyncConnection, key_id: str) -> None:
    query = select(api_keys.c.id).where(api_keys.c.id == key_id)
    if (await connection.execute(query)).one_or_none() is not None:
        raise KeyAlreadyMade(f"{key_id} was made by an earlier request")


async def _refuse_second_rotation(
    connection: AsyncConnection, key: KeyRecord, now: datetime
) -> None:
    query = select(func.count()).where(api_keys.c.lineage_id == key.lineage_id, is_live(now))
    if (await connection.execute(query)).scalar_one() >= _LINEAGE_KEYS_MAX:
        raise RotationUnderWay(f"{key.id} was rotated, and both keys are live")


async def _check_room(
    connection: AsyncConnection, account_id: uuid.UUID, live_keys_max: int, now: datetime
) -> None:
    query = select(func.count()).where(api_keys.c.account_id == account_id, is_live(now))
    if (await connection.execute(query)).scalar_one() >= live_keys_max:
        raise TooManyKeys(f"the account has {live_keys_max} live keys")


async def _update_key(
    connection: AsyncConnection, key_id: str, columns: Mapping[str, object]
) -> None:
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(columns))


async def _copy_caps(connection: AsyncConnection, old_id: str, new_id: str) -> None:
    caps = select(
        literal(new_id), key_caps.c.period, key_caps.c.lineage_id, key_caps.c.cap_microcredits
    ).where(key_caps.c.key_id == old_id)
    columns = ["key_id", "period", "lineage_id", "cap_microcredits"]
    await connection.execute(insert(key_caps).from_select(columns, caps))


async def _set_cap(
    connection: AsyncConnection, lineage_id: str, period: Period, cap: Credits | None
) -> None:
    values: dict[str, object] = {"lineage_id": lineage_id, "period": str(period)}
    if cap is None:
        for statement in _REMOVE_CAP:
            await connection.execute(statement, values)
        return
    for statement in (_SET_CAP, _SET_SPENDING_CAP):
        await connection.execute(statement, {**values, "cap": cap.microcredits})
