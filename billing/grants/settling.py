"""Settle what grants paid for in the database, behind the charges and in the order of entries.

The row `settled` of an account is the lock over its grants. Who holds the account's balance may
wait for it; who holds it never waits for a balance.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.database import Database
from billing.grants.settlement import Debit, OpenGrant, Settlement, settle_debits
from billing.grants.tables import grant_uses, grants, settled
from billing.tables import balances

ENTRIES_MAX = 10_000
"""Entries settled in one transaction: 0.1 s or so, for which a holder of the balance may wait."""

_READ_ENTRIES = text("""
SELECT entries.account_id, entries.sequence, kind, amount_microcredits, source_id
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:sequences AS bigint[]))
    AS settled (account_id, sequence)
CROSS JOIN LATERAL (
    SELECT *
    FROM entries
    WHERE entries.account_id = settled.account_id AND entries.sequence > settled.sequence
    ORDER BY entries.sequence
    LIMIT :entries_max
) AS entries
LIMIT :entries_max
""")

_SET_REMAINING = (
    update(grants)
    .where(grants.c.id == bindparam("of_grant"))
    .values(remaining_microcredits=bindparam("left"))
)
_SET_SETTLED = (
    update(settled)
    .where(settled.c.account_id == bindparam("of_account"))
    .values(sequence=bindparam("up_to"))
)


async def settle(
    connection: AsyncConnection, account_ids: Sequence[uuid.UUID], entries_max: int = ENTRIES_MAX
) -> int:
    """Settle the next entries of these accounts, `entries_max` in all; returns how many.

    Fewer than `entries_max`: everything that was visible is settled. Balances are not touched.
    """
    before = await _lock(connection, account_ids)
    found = await connection.execute(
        _READ_ENTRIES,
        {
            "account_ids": list(before),
            "sequences": list(before.values()),
            "entries_max": entries_max,
        },
    )
    rows = found.all()
    if not rows:
        return 0
    after, debits = _read_debits(before, rows)
    # After the entries: the grants of all that were read are there, and perhaps later ones.
    open_grants = await _fetch_open_grants(connection, list(debits))
    settlements = {
        account_id: settle_debits(open_grants[account_id], its_debits)
        for account_id, its_debits in debits.items()
    }
    await _write(connection, after, settlements)
    return len(rows)


async def settle_to_head(connection: AsyncConnection, account_id: uuid.UUID) -> None:
    """Settle all of an account, for a caller who holds its balance; `catch_up` should come before.

    Until the transaction ends nothing can be added to it, so what is left of its grants is true.
    """
    while await settle(connection, [account_id]) == ENTRIES_MAX:
        pass


async def catch_up(database: Database, account_id: uuid.UUID, *, chunks_max: int = 100) -> bool:
    """Settle an account without holding anything up; False: that many chunks were not enough.

    One chunk is one transaction of up to ENTRIES_MAX entries.
    """
    for _ in range(chunks_max):
        async with database.begin() as connection:
            if await _is_settled(connection, account_id):
                return True
            if await settle(connection, [account_id]) < ENTRIES_MAX:
                return True
    return False


async def _is_settled(connection: AsyncConnection, account_id: uuid.UUID) -> bool:
    """An account that does not exist has nothing to settle."""
    query = (
        select(balances.c.sequence == func.coalesce(settled.c.sequence, 0))
        .join_from(balances, settled, settled.c.account_id == balances.c.account_id, isouter=True)
        .where(balances.c.account_id == account_id)
    )
    return (await connection.execute(query)).scalar_one_or_none() in (True, None)


async def _lock(
    connection: AsyncConnection, account_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Keep every other settlement from the accounts; up to where each is settled.

    Sorted, and new rows before any lock: no deadlocks.
    """
    new = postgresql_insert(settled).on_conflict_do_nothing()
    await connection.execute(
        new, [{"account_id": account_id, "sequence": 0} for account_id in sorted(account_ids)]
    )
    query = (
        select(settled.c.account_id, settled.c.sequence)
        .where(_is_one_of(settled.c.account_id, account_ids))
        .order_by(settled.c.account_id)
        .with_for_update()
    )
    return {row.account_id: row.sequence for row in await connection.execute(query)}


def _read_debits(
    before: dict[uuid.UUID, int], rows: Sequence[Row[*tuple[Any, ...]]]
) -> tuple[dict[uuid.UUID, int], dict[uuid.UUID, list[Debit]]]:
    """The last entry read of each account, and the debits among those read."""
    after: dict[uuid.UUID, int] = {}
    debits: dict[uuid.UUID, list[Debit]] = defaultdict(list)
    for account_id, sequence, kind, amount_microcredits, source_id in rows:
        last = after.get(account_id)
        assert sequence == (before[account_id] if last is None else last) + 1, "entries have a gap"
        after[account_id] = sequence
        if amount_microcredits < 0:
            debits[account_id].append(Debit(sequence, kind, -amount_microcredits, source_id))
    return after, debits


async def _fetch_open_grants(
    connection: AsyncConnection, account_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[OpenGrant]]:
    query = select(
        grants.c.account_id,
        grants.c.id,
        grants.c.sequence,
        grants.c.priority,
        grants.c.expires_at,
        grants.c.remaining_microcredits,
        grants.c.source_id,
    ).where(_is_one_of(grants.c.account_id, account_ids), grants.c.remaining_microcredits > 0)
    found: dict[uuid.UUID, list[OpenGrant]] = defaultdict(list)
    for account_id, *values in await connection.execute(query):
        found[account_id].append(OpenGrant(*values))
    return found


async def _write(
    connection: AsyncConnection,
    after: Mapping[uuid.UUID, int],
    settlements: Mapping[uuid.UUID, Settlement],
) -> None:
    left = [
        {"of_grant": grant_id, "left": microcredits}
        for settlement in settlements.values()
        for grant_id, microcredits in settlement.remaining_microcredits.items()
    ]
    spans = [
        {
            "account_id": account_id,
            "grant_id": span.grant_id,
            "first_sequence": span.first_sequence,
            "first_microcredits": span.first_microcredits,
            "last_sequence": span.last_sequence,
            "last_microcredits": span.last_microcredits,
            "amount_microcredits": span.amount_microcredits,
        }
        for account_id, settlement in settlements.items()
        for span in settlement.spans
    ]
    if spans:
        await connection.execute(_SET_REMAINING, left)
        await connection.execute(insert(grant_uses), spans)
    await connection.execute(
        _SET_SETTLED,
        [{"of_account": account_id, "up_to": sequence} for account_id, sequence in after.items()],
    )


def _is_one_of(
    column: ColumnElement[uuid.UUID], account_ids: Sequence[uuid.UUID]
) -> ColumnElement[bool]:
    """As one parameter, so that one prepared statement serves any number."""
    return column == any_(bindparam(None, list(account_ids), type_=ARRAY(Uuid())))
