"""The schema, once: SQLAlchemy Core tables. Migrations bring a database to it; a test compares."""

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
    Uuid,
    func,
    text,
)

metadata = MetaData()


def _created_at() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("name", Text, nullable=False, unique=True),
    _created_at(),
    CheckConstraint("length(name) BETWEEN 1 AND 200", name="accounts_name_length"),
)

# The one hot row of an account. Narrow, no secondary index, half-filled pages: an update stays on
# its page and touches no index. No foreign key points here, so no insert elsewhere locks the row.
balances = Table(
    "balances",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("posted", BigInteger, nullable=False, server_default="0"),
    Column("held", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("posted - held >= 0", name="balances_available_not_negative"),
    CheckConstraint("held >= 0", name="balances_held_not_negative"),
    postgresql_with={"fillfactor": "50"},
)

# The ledger. Append-only: the application's role may neither update nor delete.
entries = Table(
    "entries",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("charge_id", Uuid),
    Column("reason", Text),
    _created_at(),
    CheckConstraint(
        "(kind = 'grant' AND amount_microcredits > 0 AND charge_id IS NULL)"
        " OR (kind = 'charge' AND amount_microcredits <= 0 AND charge_id IS NOT NULL)",
        name="entries_kind",
    ),
    Index("entries_charge_id", "charge_id", unique=True, postgresql_where=text("kind = 'charge'")),
)

# One row for each paid request, written with its entry. Append-only and kept for ever: it is what
# remembers that a charge id was used.
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
    CheckConstraint("instances > 0", name="predictions_instances_positive"),
    CheckConstraint("amount_microcredits >= 0", name="predictions_amount_not_negative"),
    CheckConstraint("octet_length(body_sha256) = 32", name="predictions_body_sha256_length"),
)

# What a paid request was answered, for replay; pruned after a day without touching the above.
answers = Table(
    "answers",
    metadata,
    Column("charge_id", Uuid, primary_key=True),
    Column("inputs", LargeBinary, nullable=False),
    Column("predictions", LargeBinary, nullable=False),
    _created_at(),
    Index("answers_created_at", "created_at", postgresql_using="brin"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    _created_at(),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("octet_length(secret_hash) = 32", name="api_keys_secret_hash_length"),
)

prices = Table(
    "prices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("model", Text),
    Column("version", Text),
    Column("amount_microcredits", BigInteger, nullable=False),
    Column("effective_from", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("amount_microcredits >= 0", name="prices_amount_not_negative"),
    CheckConstraint("model IS NOT NULL OR version IS NULL", name="prices_version_of_a_model"),
)
