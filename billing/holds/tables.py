"""Holds: credits set aside for work under way."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Table,
    Text,
    Uuid,
    text,
)

from billing.tables import created_at, metadata

holds = Table(
    "holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("captured_microcredits", BigInteger, nullable=False, server_default="0"),
    Column("status", Text, nullable=False, server_default="open"),
    Column("reason", Text, nullable=False),
    created_at(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('open', 'captured', 'released', 'expired')", name="status_known"),
    CheckConstraint("amount_microcredits > 0", name="amount_positive"),
    CheckConstraint(
        "captured_microcredits BETWEEN 0 AND amount_microcredits", name="captured_range"
    ),
    CheckConstraint(
        "(status = 'captured') = (captured_microcredits > 0)", name="captured_by_status"
    ),
    CheckConstraint("(status = 'open') = (resolved_at IS NULL)", name="resolved_once"),
    Index(None, "account_id", "created_at"),
    Index(None, "expires_at", postgresql_where=text("status = 'open'")),
)
