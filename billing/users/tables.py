"""Who may sign in, the tokens sent to their addresses, and the addresses that were welcomed."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from billing.tables import created_at, metadata

users = Table(
    "users",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False, server_default="user"),
    Column("email_verified_at", DateTime(timezone=True)),
    created_at(),
    CheckConstraint("email = lower(email) AND email <> ''", name="email_lower_case"),
    CheckConstraint("role IN ('user', 'operator', 'admin')", name="role_known"),
)

email_tokens = Table(
    "email_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column(
        "account_id",
        Uuid,
        ForeignKey("users.account_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("purpose", Text, nullable=False),
    created_at(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash_length"),
    CheckConstraint("purpose IN ('verify_email', 'reset_password')", name="purpose_known"),
)

welcomed_addresses = Table(
    "welcomed_addresses",
    metadata,
    Column("address_hash", LargeBinary, primary_key=True),
    created_at(),
    CheckConstraint("octet_length(address_hash) = 32", name="address_hash_length"),
)
"""Keyed hashes, so that welcome credits are given once per address and no address is kept."""
