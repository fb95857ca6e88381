"""Read what operators and admins did."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from billing.audit.tables import audit
from billing.database import Database


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what, when, to whom."""

    id: int
    created_at: datetime
    actor_id: uuid.UUID | None
    actor_role: str
    action: str
    account_id: uuid.UUID | None
    target: str | None
    details: Mapping[str, Any]


async def fetch_audit(
    database: Database,
    *,
    account_id: uuid.UUID | None,
    action: str | None,
    before: int | None,
    rows_max: int,
) -> Sequence[AuditRecord]:
    """Newest first, from behind the record `before`; of an account or action where given."""
    query = select(audit).order_by(audit.c.id.desc()).limit(rows_max)
    if account_id is not None:
        query = query.where(audit.c.account_id == account_id)
    if action is not None:
        query = query.where(audit.c.action == action)
    if before is not None:
        query = query.where(audit.c.id < before)
    async with database.begin() as connection:
        rows = (await connection.execute(query)).all()
    return [
        AuditRecord(
            row.id,
            row.created_at,
            row.actor_id,
            row.actor_role,
            row.action,
            row.account_id,
            row.target,
            row.details,
        )
        for row in rows
    ]
