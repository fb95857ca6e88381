"""Where a browser goes once a top-up's payment has ended."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE top_ups ADD COLUMN return_url text;
"""

_DOWN = """
ALTER TABLE top_ups DROP COLUMN return_url;
"""


def upgrade() -> None:
    execute_script(_UP)


def downgrade() -> None:
    """Payments under way end on the provider's page."""
    execute_script(_DOWN)
