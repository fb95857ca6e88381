"""Rollups of the ledger by hour and day, and what replicas count by the minute."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Double,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from billing.tables import Xid8, metadata


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _sums() -> list[Column[int]]:
    return [
        _count("predictions"),
        _count("instances"),
        _count("charged_microcredits"),
        _count("refunded_microcredits"),
    ]


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), primary_key=True)


feeds = Table(
    "feeds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("xid", Xid8, nullable=False),
)
"""Up to which transaction a reader of all accounts' entries has read."""

entry_hours = Table(
    "entry_hours",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    _time("hour"),
    Column("kind", Text, primary_key=True),
    _count("entries"),
    _count("amount_microcredits"),
    _count("first_sequence"),
    _count("last_sequence"),
    postgresql_with={"fillfactor": 70},
)

usage_hours = Table(
    "usage_hours",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    _time("hour"),
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    *_sums(),
    postgresql_with={"fillfactor": 70},
)

account_days = Table(
    "account_days",
    metadata,
    _time("day"),
    Column("account_id", Uuid, primary_key=True),
    *_sums(),
    postgresql_with={"fillfactor": 70},
)

model_hours = Table(
    "model_hours",
    metadata,
    _time("hour"),
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    *_sums(),
    postgresql_with={"fillfactor": 70},
)

kind_hours = Table(
    "kind_hours",
    metadata,
    _time("hour"),
    Column("kind", Text, primary_key=True),
    _count("entries"),
    _count("amount_microcredits"),
    postgresql_with={"fillfactor": 70},
)

request_minutes = Table(
    "request_minutes",
    metadata,
    _time("minute"),
    Column("replica_id", Uuid, primary_key=True),
    Column("outcome", Text, primary_key=True),
    _count("requests"),
)

latency_minutes = Table(
    "latency_minutes",
    metadata,
    _time("minute"),
    Column("replica_id", Uuid, primary_key=True),
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    _count("requests"),
)

request_hours = Table(
    "request_hours",
    metadata,
    _time("hour"),
    Column("outcome", Text, primary_key=True),
    _count("requests"),
)

latency_hours = Table(
    "latency_hours",
    metadata,
    _time("hour"),
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    _count("requests"),
)
"""What replicas counted is in the minutes at first, later in the hours: never in both."""

drift_days = Table(
    "drift_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    _count("rows_scored"),
    Column("feature_ones", ARRAY(BigInteger), nullable=False),
    Column("probability_bins", ARRAY(BigInteger), nullable=False),
)

drift_parcels = Table(
    "drift_parcels",
    metadata,
    Column("replica_id", Uuid, primary_key=True),
    _count("number"),
    Column("taken_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""The last parcel of counts that each replica sent: none is added twice."""

shadow_days = Table(
    "shadow_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("champion", Text, primary_key=True),
    Column("challenger", Text, primary_key=True),
    Column("replica_id", Uuid, primary_key=True),
    _count("instances"),
    _count("disagreements"),
    Column("difference_sum", Double, nullable=False),
    Column("difference_max", Double, nullable=False),
    Column("histogram", ARRAY(BigInteger), nullable=False),
    _count("dropped"),
    _count("failed"),
    postgresql_with={"fillfactor": 70},
)
"""A row a replica: few, as challengers run in the shadow for days, not for ever."""
