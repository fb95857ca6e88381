"""What challengers made of the rows that champions answered."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UP = """
CREATE TABLE shadow_days (
    day date NOT NULL,
    model text NOT NULL,
    champion text NOT NULL,
    challenger text NOT NULL,
    replica_id uuid NOT NULL,
    instances bigint NOT NULL,
    disagreements bigint NOT NULL,
    difference_sum double precision NOT NULL,
    difference_max double precision NOT NULL,
    histogram bigint[] NOT NULL,
    dropped bigint NOT NULL,
    failed bigint NOT NULL,
    CONSTRAINT shadow_days_pkey PRIMARY KEY (day, model, champion, challenger, replica_id)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE ON shadow_days TO farebox_app;
GRANT SELECT ON shadow_days TO farebox_reporter;
"""

_DOWN = """
DROP TABLE shadow_days;
"""


def upgrade() -> None:
    execute_script(_UP)


def downgrade() -> None:
    """What was compared is lost; nothing of it was ever answered or charged."""
    execute_script(_DOWN)
