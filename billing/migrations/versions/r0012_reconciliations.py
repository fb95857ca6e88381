"""What reconciliations of the whole ledger found."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UP = """
CREATE TABLE reconciliations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT reconciliations_pkey PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seconds double precision NOT NULL,
    rows_checked jsonb NOT NULL,
    rules_checked integer NOT NULL,
    breaches jsonb NOT NULL,
    clean boolean NOT NULL,
    source text NOT NULL,
    CONSTRAINT reconciliations_seconds_not_negative CHECK (seconds >= 0),
    CONSTRAINT reconciliations_clean_without_breaches CHECK (clean = (breaches = '[]'::jsonb)),
    CONSTRAINT reconciliations_source_known CHECK (source IN ('cli', 'bookkeeper'))
);

GRANT SELECT, INSERT, DELETE ON reconciliations TO farebox_app;
GRANT SELECT ON reconciliations TO farebox_reporter;
"""

_DOWN = """
DROP TABLE reconciliations;
"""


def upgrade() -> None:
    execute_script(_UP)


def downgrade() -> None:
    """What was found is lost; `farebox reconcile` finds it again."""
    execute_script(_DOWN)
