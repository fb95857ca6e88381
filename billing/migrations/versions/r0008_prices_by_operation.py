"""Explanations have a price of their own, beside that of the prediction they explain."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE prices ADD COLUMN operation text NOT NULL DEFAULT 'predict',
    ADD CONSTRAINT prices_operation_known CHECK (operation IN ('predict', 'explain')),
    DROP CONSTRAINT prices_model_version_effective_from_key,
    ADD CONSTRAINT prices_model_version_operation_effective_from_key
        UNIQUE NULLS NOT DISTINCT (model, version, operation, effective_from);
"""

# As the default price of a prediction: one credit, from the beginning of time.
_DEFAULT_PRICE = """
INSERT INTO prices (operation, amount_microcredits, effective_from)
VALUES ('explain', 1000000, '2000-01-01 00:00+00')
"""

_DOWN = """
DELETE FROM prices WHERE operation <> 'predict';
ALTER TABLE prices DROP CONSTRAINT prices_model_version_operation_effective_from_key,
    DROP COLUMN operation,
    ADD CONSTRAINT prices_model_version_effective_from_key
        UNIQUE NULLS NOT DISTINCT (model, version, effective_from);
"""


def upgrade() -> None:
    execute_script(_UP + _DEFAULT_PRICE)


def downgrade() -> None:
    """Prices of explanations go: what is left would read them as prices of predictions."""
    execute_script(_DOWN)
