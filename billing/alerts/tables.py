"""Low-balance alerts, and the outbox of what is to be delivered."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from billing.tables import created_at, metadata

alerts = Table(
    "alerts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("level_microcredits", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("is_below", Boolean, nullable=False),
    Column("checked_sequence", BigInteger, nullable=False),
    created_at(),
    CheckConstraint("level_microcredits > 0", name="level_positive"),
)
"""`is_below` is the balance's side of the level after the entry `checked_sequence`."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("alert_id", Uuid),
    Column("channel", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_error", Text),
    created_at(),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("channel IN ('webhook', 'email')", name="channel_known"),
    CheckConstraint("status IN ('pending', 'delivered', 'failed')", name="status_known"),
    CheckConstraint("attempts >= 0", name="attempts_not_negative"),
    CheckConstraint("(status = 'pending') = (ended_at IS NULL)", name="ended_by_status"),
    Index(None, "next_attempt_at", postgresql_where=text("status = 'pending'")),
    Index(None, "alert_id", "created_at"),
)
"""The outbox: written in the transaction of what it tells of, sent afterwards with retries."""
