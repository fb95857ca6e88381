"""Refunds of predictions, and their sum for each charge."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, Text, Uuid

from billing.tables import created_at, metadata

refunds = Table(
    "refunds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("charge_id", Uuid, nullable=False, index=True),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("refunded_by", Uuid),
    created_at(),
    CheckConstraint("amount_microcredits > 0", name="amount_positive"),
    CheckConstraint("reason <> ''", name="reason_not_empty"),
    Index(None, "account_id", "created_at"),
)

refund_totals = Table(
    "refund_totals",
    metadata,
    Column("charge_id", Uuid, primary_key=True),
    Column("charged_microcredits", BigInteger, nullable=False),
    Column("refunded_microcredits", BigInteger, nullable=False),
    CheckConstraint(
        "refunded_microcredits BETWEEN 0 AND charged_microcredits", name="within_charge"
    ),
)
"""What keeps racing refunds within the charge."""
