"""Top-ups through a payment provider, what providers told of them, and debts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)

from billing.tables import created_at, metadata

top_ups = Table(
    "top_ups",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_reference", Text),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("price_minor_units", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("checkout_url", Text),
    Column("charged_back_microcredits", BigInteger, nullable=False, server_default="0"),
    Column("charged_back_minor_units", BigInteger, nullable=False, server_default="0"),
    created_at(),
    Column("paid_at", DateTime(timezone=True)),
    Column("return_url", Text),
    UniqueConstraint("provider", "provider_reference"),
    CheckConstraint("status IN ('pending', 'paid', 'failed', 'charged_back')", name="status_known"),
    CheckConstraint("amount_microcredits > 0", name="amount_positive"),
    CheckConstraint("price_minor_units >= 0", name="price_not_negative"),
    CheckConstraint(
        "charged_back_microcredits BETWEEN 0 AND amount_microcredits", name="charged_back_range"
    ),
    CheckConstraint(
        "charged_back_minor_units BETWEEN 0 AND price_minor_units", name="charged_back_price_range"
    ),
    CheckConstraint(
        "(status = 'charged_back') = (charged_back_microcredits > 0)",
        name="charged_back_by_status",
    ),
    CheckConstraint(
        "CASE status WHEN 'paid' THEN paid_at IS NOT NULL WHEN 'charged_back' THEN true"
        " ELSE paid_at IS NULL END",
        name="paid_by_status",
    ),
    Index(None, "account_id", "created_at"),
)

payment_events = Table(
    "payment_events",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("top_up_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""Webhooks that were acted upon: one delivered twice acts once."""

debts = Table(
    "debts",
    metadata,
    Column("top_up_id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False, index=True),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("repaid_microcredits", BigInteger, nullable=False, server_default="0"),
    created_at(),
    CheckConstraint("amount_microcredits > 0", name="amount_positive"),
    CheckConstraint("repaid_microcredits BETWEEN 0 AND amount_microcredits", name="repaid_range"),
)
"""What chargebacks of a top-up could not take because it was spent; the next top-ups pay first."""
