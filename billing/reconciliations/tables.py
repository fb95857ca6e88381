"""What reconciliations of the whole ledger found."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from billing.tables import metadata

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seconds", Double, nullable=False),
    Column("rows_checked", JSONB, nullable=False),
    Column("rules_checked", Integer, nullable=False),
    Column("breaches", JSONB, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    CheckConstraint("seconds >= 0", name="seconds_not_negative"),
    CheckConstraint("clean = (breaches = '[]'::jsonb)", name="clean_without_breaches"),
    CheckConstraint("source IN ('cli', 'bookkeeper')", name="source_known"),
)
"""The last hundred or so. Breaches name rules and ids, nothing else."""
