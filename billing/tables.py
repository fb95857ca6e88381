"""The ledger's tables; those of a slice are in its own `tables.py`, all together in `schema.py`.

They are the one source of truth for queries; the migrations are tested to agree with them.
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
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


class Xid8(UserDefinedType[str]):
    """A transaction id that never wraps round; as text in Python."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


# So that a schema read back from a database names the type.
ischema_names["xid8"] = Xid8


def created_at() -> Column[object]:
    """When the row's transaction began, by the database's clock."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    created_at(),
    Column("closed_at", DateTime(timezone=True)),
    CheckConstraint("name <> ''", name="name_not_empty"),
)

balances = Table(
    "balances",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("posted", BigInteger, nullable=False, server_default="0"),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("posted - held >= 0", name="available_not_negative"),
    CheckConstraint("held >= 0", name="held_not_negative"),
    postgresql_with={"fillfactor": 50},
)

entries = Table(
    "entries",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("balance_microcredits", BigInteger, nullable=False),
    Column("charge_id", Uuid, unique=True),
    Column("source_id", Uuid),
    Column("reason", Text),
    created_at(),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()"), index=True),
    CheckConstraint(
        "kind IN ('top_up', 'grant', 'charge', 'capture', 'refund', 'expiry', 'adjustment')",
        name="kind_known",
    ),
    CheckConstraint(
        "CASE WHEN kind IN ('top_up', 'grant', 'refund') THEN amount_microcredits > 0"
        " WHEN kind = 'charge' THEN amount_microcredits <= 0"
        " WHEN kind IN ('capture', 'expiry') THEN amount_microcredits < 0"
        " ELSE amount_microcredits <> 0 END",
        name="sign_by_kind",
    ),
    CheckConstraint("(kind = 'charge') = (charge_id IS NOT NULL)", name="charge_id_by_kind"),
    CheckConstraint("balance_microcredits >= 0", name="balance_not_negative"),
)
"""`sequence` counts an account's entries in the order of their commits, without a gap: it is drawn
under the lock of the balance. `balance_microcredits` is `posted` right after the entry."""

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
    created_at(),
    CheckConstraint("instances > 0", name="instances_positive"),
    CheckConstraint("amount_microcredits >= 0", name="amount_not_negative"),
    CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256_length"),
)

# Both bytes stand uncompressed (migration 0007), which SQLAlchemy has no word for.
answers = Table(
    "answers",
    metadata,
    Column("charge_id", Uuid, primary_key=True),
    Column("inputs", LargeBinary, nullable=False),
    Column("predictions", LargeBinary, nullable=False),
    created_at(),
    Index(None, "created_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    created_at(),
    Column("revoked_at", DateTime(timezone=True)),
    Column("scopes", ARRAY(Text), nullable=False, server_default="{score,read}"),
    Column("expires_at", DateTime(timezone=True)),
    Column("lineage_id", Text, nullable=False, index=True),
    CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash_length"),
    CheckConstraint(
        "scopes <@ ARRAY['score', 'read'] AND cardinality(scopes) > 0", name="scopes_known"
    ),
)

prices = Table(
    "prices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("model", Text),
    Column("version", Text),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("effective_from", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("request_id", Uuid, unique=True),
    Column("operation", Text, nullable=False, server_default="predict"),
    CheckConstraint("amount_microcredits >= 0", name="amount_not_negative"),
    CheckConstraint("version IS NULL OR model IS NOT NULL", name="version_of_a_model"),
    CheckConstraint("operation IN ('predict', 'explain')", name="operation_known"),
    UniqueConstraint(
        "model", "version", "operation", "effective_from", postgresql_nulls_not_distinct=True
    ),
)
