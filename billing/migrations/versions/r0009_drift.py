"""What scorers count of the rows they score, by day, model and version."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UP = """
CREATE TABLE drift_days (
    day date NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    rows_scored bigint NOT NULL,
    feature_ones bigint[] NOT NULL,
    probability_bins bigint[] NOT NULL,
    CONSTRAINT drift_days_pkey PRIMARY KEY (day, model, version)
);

CREATE TABLE drift_parcels (
    replica_id uuid CONSTRAINT drift_parcels_pkey PRIMARY KEY,
    number bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE, DELETE ON drift_days, drift_parcels TO farebox_app;
GRANT SELECT ON drift_days, drift_parcels TO farebox_reporter;
"""

_DOWN = """
DROP TABLE drift_parcels, drift_days;
"""


def upgrade() -> None:
    execute_script(_UP)


def downgrade() -> None:
    """What was counted is lost; drift is reckoned from the next row on."""
    execute_script(_DOWN)
