"""Refunds that users ask for, and what operators decided."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Table, Text, Uuid, text

from billing.tables import created_at, metadata

refund_requests = Table(
    "refund_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("charge_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="open"),
    created_at(),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", Uuid),
    Column("decision_reason", Text),
    Column("refund_id", Uuid),
    CheckConstraint("status IN ('open', 'accepted', 'declined')", name="status_known"),
    CheckConstraint("(status = 'open') = (decided_at IS NULL)", name="decided_at_by_status"),
    CheckConstraint(
        "(status = 'open') = (decision_reason IS NULL)", name="decision_reason_by_status"
    ),
    CheckConstraint("(status = 'accepted') = (refund_id IS NOT NULL)", name="refund_by_status"),
    CheckConstraint("status <> 'open' OR decided_by IS NULL", name="decided_by_by_status"),
    Index(None, "charge_id", unique=True, postgresql_where=text("status = 'open'")),
    Index(None, "account_id", "created_at"),
    Index(None, "status", "created_at"),
    Index(None, "created_at"),
)
"""Whoever writes a row holds the balance of its account: nothing is asked for, refunded, decided or
forgotten at the same time. `reason` is the user's: empty once they are gone."""
