"""The tables: one source of truth for queries; the migrations are tested to agree with it.

The hot row is `balances`: narrow, half-filled pages so that updates stay on their page, no
secondary index, no foreign key from or to it. Ledger tables have no foreign keys either, because
each would lock and look up a parent row for every charge; `billing.reconcile` checks instead.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


def _created_at() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _created_at(),
    CheckConstraint("name <> ''", name="name_not_empty"),
)

balances = Table(
    "balances",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("posted", BigInteger, nullable=False, server_default="0"),
    Column("held", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("posted - held >= 0", name="available_not_negative"),
    CheckConstraint("held >= 0", name="held_not_negative"),
    postgresql_with={"fillfactor": 50},
)

entries = Table(
    "entries",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("charge_id", Uuid, unique=True),
    Column("reason", Text),
    _created_at(),
    CheckConstraint("kind IN ('grant', 'charge')", name="kind_known"),
    CheckConstraint(
        "CASE kind WHEN 'grant' THEN amount_microcredits > 0 ELSE amount_microcredits <= 0 END",
        name="sign_by_kind",
    ),
    CheckConstraint("(kind = 'charge') = (charge_id IS NOT NULL)", name="charge_id_by_kind"),
    Index(None, "account_id", "id"),
)

predictions = Table(
    "predictions",
    metadata,
    Column("charge_id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("instances", Integer, nullable=False),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    _created_at(),
    CheckConstraint("instances > 0", name="instances_positive"),
    CheckConstraint("amount_microcredits >= 0", name="amount_not_negative"),
    CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256_length"),
)

answers = Table(
    "answers",
    metadata,
    Column("charge_id", Uuid, primary_key=True),
    Column("inputs", LargeBinary, nullable=False),
    Column("predictions", LargeBinary, nullable=False),
    _created_at(),
    Index(None, "created_at", postgresql_using="brin"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    _created_at(),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash_length"),
)

prices = Table(
    "prices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("model", Text),
    Column("version", Text),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("effective_from", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("amount_microcredits >= 0", name="amount_not_negative"),
    CheckConstraint("version IS NULL OR model IS NOT NULL", name="version_of_a_model"),
    UniqueConstraint("model", "version", "effective_from", postgresql_nulls_not_distinct=True),
)
