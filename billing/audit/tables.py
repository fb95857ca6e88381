"""What operators and admins did: append-only."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from billing.tables import created_at, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    created_at(),
    Column("actor_id", Uuid),
    Column("actor_role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("account_id", Uuid),
    Column("target", Text),
    Column("details", JSONB, nullable=False, server_default="{}"),
    CheckConstraint("actor_role IN ('operator', 'admin', 'command_line')", name="actor_role_known"),
    Index(None, "account_id", "id"),
)
