"""Bring credits into an account: an entry, and the grants that it consists of."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import uuid_utils.compat
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import ZERO, Credits
from billing.grants.tables import grants
from billing.posting import Kind, Posted, post_entry

PROMOTION_PRIORITY = 50
PAID_PRIORITY = 100
"""Smaller burns first: what was given away goes before what was paid for."""


class Origin(StrEnum):
    """Where the credits of a grant came from."""

    TOP_UP = "top_up"
    GRANT = "grant"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """Credits that burn down together."""

    amount: Credits
    priority: int = PROMOTION_PRIORITY
    expires_at: datetime | None = None
    id: uuid.UUID | None = None
    """Left out: made here."""


async def add_grant(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    amount: Credits,
    *,
    reason: str,
    priority: int = PROMOTION_PRIORITY,
    expires_at: datetime | None = None,
    grant_id: uuid.UUID | None = None,
) -> Posted:
    """Give credits away: an entry of the kind `grant` and its grant. Raises AccountMissing."""
    new = NewGrant(amount, priority, expires_at, grant_id or uuid_utils.compat.uuid7())
    return await add_credits(
        connection,
        account_id,
        Kind.GRANT,
        Origin.GRANT,
        [new],
        source_id=new.id,
        reason=reason,
    )


async def add_credits(
    connection: AsyncConnection,
    account_id: uuid.UUID,
    kind: Kind,
    origin: Origin,
    parts: Sequence[NewGrant],
    *,
    source_id: uuid.UUID | None,
    reason: str,
) -> Posted:
    """One entry over all `parts`, each of them a grant of its own. Raises AccountMissing."""
    total = sum((part.amount for part in parts), ZERO)
    posted = await post_entry(
        connection, account_id, kind, total, source_id=source_id, reason=reason
    )
    await connection.execute(
        insert(grants),
        [
            {
                "id": part.id or uuid_utils.compat.uuid7(),
                "account_id": account_id,
                "sequence": posted.sequence,
                "origin": origin,
                "priority": part.priority,
                "expires_at": part.expires_at,
                "amount_microcredits": part.amount.microcredits,
                "remaining_microcredits": part.amount.microcredits,
                "source_id": source_id,
                "reason": reason,
            }
            for part in parts
        ],
    )
    return posted
