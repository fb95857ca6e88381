"""Write down what an operator, an admin or the command line did, in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.audit.tables import audit


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it. `id` is their account; None at the command line."""

    role: str
    id: uuid.UUID | None = None


COMMAND_LINE = Actor("command_line")


async def record(
    connection: AsyncConnection,
    actor: Actor,
    action: str,
    *,
    account_id: uuid.UUID | None = None,
    target: str | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Append to the audit log. `details`: plain JSON, amounts as text, no e-mails."""
    await connection.execute(
        insert(audit).values(
            actor_id=actor.id,
            actor_role=actor.role,
            action=action,
            account_id=account_id,
            target=target,
            details=dict(details or {}),
        )
    )
