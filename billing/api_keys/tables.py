"""What a key may spend, what it has spent, and when it was last used.

A rotated key shares its lineage with the one it follows, and so its caps' spending.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Table, Text

from billing.tables import metadata

key_caps = Table(
    "key_caps",
    metadata,
    Column("key_id", Text, ForeignKey("api_keys.id"), primary_key=True),
    Column("period", Text, primary_key=True),
    Column("lineage_id", Text, nullable=False),
    Column("cap_microcredits", BigInteger, nullable=False),
    CheckConstraint("period IN ('day', 'month', 'total')", name="period_known"),
    CheckConstraint("cap_microcredits >= 0", name="cap_not_negative"),
)

key_spending = Table(
    "key_spending",
    metadata,
    Column("lineage_id", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("period_start", DateTime(timezone=True), primary_key=True),
    Column("spent_microcredits", BigInteger, nullable=False),
    Column("cap_microcredits", BigInteger, nullable=False),
    CheckConstraint("spent_microcredits <= cap_microcredits", name="within_cap"),
    postgresql_with={"fillfactor": 50},
)
"""`cap_microcredits` is the cap in force, or what was spent already where the cap was lowered."""

key_uses = Table(
    "key_uses",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("last_used_at", DateTime(timezone=True), nullable=False),
    postgresql_with={"fillfactor": 50},
)
"""Apart from `api_keys`, whose changes are told to every replica."""
