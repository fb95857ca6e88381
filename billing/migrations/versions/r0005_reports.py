"""Reports: rollups of entries and predictions, and what replicas count by the minute."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UP = """
CREATE TABLE feeds (
    name text CONSTRAINT feeds_pkey PRIMARY KEY,
    xid xid8 NOT NULL
);
INSERT INTO feeds (name, xid) VALUES ('rollups', '0'), ('settlement', '0');

CREATE TABLE entry_hours (
    account_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    kind text NOT NULL,
    entries bigint NOT NULL,
    amount_microcredits bigint NOT NULL,
    first_sequence bigint NOT NULL,
    last_sequence bigint NOT NULL,
    CONSTRAINT entry_hours_pkey PRIMARY KEY (account_id, hour, kind)
) WITH (fillfactor = 70);

CREATE TABLE usage_hours (
    account_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    key_id text NOT NULL,
    predictions bigint NOT NULL,
    instances bigint NOT NULL,
    charged_microcredits bigint NOT NULL,
    refunded_microcredits bigint NOT NULL,
    CONSTRAINT usage_hours_pkey PRIMARY KEY (account_id, hour, model, version, key_id)
) WITH (fillfactor = 70);

CREATE TABLE account_days (
    day timestamptz NOT NULL,
    account_id uuid NOT NULL,
    predictions bigint NOT NULL,
    instances bigint NOT NULL,
    charged_microcredits bigint NOT NULL,
    refunded_microcredits bigint NOT NULL,
    CONSTRAINT account_days_pkey PRIMARY KEY (day, account_id)
) WITH (fillfactor = 70);

CREATE TABLE model_hours (
    hour timestamptz NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    predictions bigint NOT NULL,
    instances bigint NOT NULL,
    charged_microcredits bigint NOT NULL,
    refunded_microcredits bigint NOT NULL,
    CONSTRAINT model_hours_pkey PRIMARY KEY (hour, model, version)
) WITH (fillfactor = 70);

CREATE TABLE kind_hours (
    hour timestamptz NOT NULL,
    kind text NOT NULL,
    entries bigint NOT NULL,
    amount_microcredits bigint NOT NULL,
    CONSTRAINT kind_hours_pkey PRIMARY KEY (hour, kind)
) WITH (fillfactor = 70);

CREATE TABLE request_minutes (
    minute timestamptz NOT NULL,
    replica_id uuid NOT NULL,
    outcome text NOT NULL,
    requests bigint NOT NULL,
    CONSTRAINT request_minutes_pkey PRIMARY KEY (minute, replica_id, outcome)
);

CREATE TABLE latency_minutes (
    minute timestamptz NOT NULL,
    replica_id uuid NOT NULL,
    bucket smallint NOT NULL,
    requests bigint NOT NULL,
    CONSTRAINT latency_minutes_pkey PRIMARY KEY (minute, replica_id, bucket)
);

CREATE TABLE request_hours (
    hour timestamptz NOT NULL,
    outcome text NOT NULL,
    requests bigint NOT NULL,
    CONSTRAINT request_hours_pkey PRIMARY KEY (hour, outcome)
);

CREATE TABLE latency_hours (
    hour timestamptz NOT NULL,
    bucket smallint NOT NULL,
    requests bigint NOT NULL,
    CONSTRAINT latency_hours_pkey PRIMARY KEY (hour, bucket)
);

GRANT SELECT, INSERT, UPDATE ON
    feeds, entry_hours, usage_hours, account_days, model_hours, kind_hours,
    request_minutes, latency_minutes, request_hours, latency_hours
    TO farebox_app;
GRANT DELETE ON request_minutes, latency_minutes TO farebox_app;
GRANT SELECT ON
    feeds, entry_hours, usage_hours, account_days, model_hours, kind_hours,
    request_minutes, latency_minutes, request_hours, latency_hours
    TO farebox_reporter;
"""

_DOWN = """
DROP TABLE
    latency_hours, request_hours, latency_minutes, request_minutes, kind_hours, model_hours,
    account_days, usage_hours, entry_hours, feeds;
"""


def upgrade() -> None:
    execute_script(_UP)


def downgrade() -> None:
    """Rollups are made anew from the ledger; what replicas counted is lost."""
    execute_script(_DOWN)
