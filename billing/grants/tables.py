"""Grants, and which of them paid for what; written by settlement, behind the charges."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from billing.tables import created_at, metadata

grants = Table(
    "grants",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("remaining_microcredits", BigInteger, nullable=False),
    Column("source_id", Uuid),
    Column("reason", Text, nullable=False),
    created_at(),
    CheckConstraint("origin IN ('top_up', 'grant', 'refund', 'adjustment')", name="origin_known"),
    CheckConstraint("priority BETWEEN 0 AND 100", name="priority_range"),
    CheckConstraint("amount_microcredits > 0", name="amount_positive"),
    CheckConstraint(
        "remaining_microcredits BETWEEN 0 AND amount_microcredits", name="remaining_range"
    ),
    Index(None, "account_id", "sequence"),
    Index(
        None,
        "account_id",
        "priority",
        postgresql_where=text("remaining_microcredits > 0"),
    ),
    Index(
        None,
        "expires_at",
        postgresql_where=text("expires_at IS NOT NULL AND remaining_microcredits > 0"),
    ),
)
"""`sequence` is the entry that brought the credits; `remaining_microcredits` is true up to the
account's `settled.sequence`."""

adjustments = Table(
    "adjustments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    created_at(),
    CheckConstraint("amount_microcredits <> 0", name="amount_not_zero"),
    Index(None, "account_id", "sequence"),
)
"""What operators put right by hand; `sequence` is the entry. A positive one is a grant too."""

settled = Table(
    "settled",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 50},
)
"""Up to which entry it is known what paid for it."""

grant_uses = Table(
    "grant_uses",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("last_sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("grant_id", Uuid, primary_key=True),
    Column("first_sequence", BigInteger, nullable=False),
    Column("first_microcredits", BigInteger, nullable=False),
    Column("last_microcredits", BigInteger, nullable=False),
    Column("amount_microcredits", BigInteger, nullable=False),
    CheckConstraint("first_sequence <= last_sequence", name="span"),
    CheckConstraint("amount_microcredits > 0", name="amount_positive"),
)
"""A run of an account's debits that one grant paid for: wholly, but for the first and the last
entry, of which it paid `first_microcredits` and `last_microcredits`. A row a charge would be as
large as the ledger."""
