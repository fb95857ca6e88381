"""Stored answers are found by their age in order, however often their pages were used before.

A BRIN index keeps the oldest time that a page ever held: once pruned pages are filled again, it
points at all of them, and every chunk of a prune reads the table from its start.
"""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UP = """
DROP INDEX answers_created_at_idx;
CREATE INDEX answers_created_at_idx ON answers (created_at);
"""

_DOWN = """
DROP INDEX answers_created_at_idx;
CREATE INDEX answers_created_at_idx ON answers USING brin (created_at);
"""


def upgrade() -> None:
    """Charges wait while the index is built: a second for a million stored answers."""
    execute_script(_UP)


def downgrade() -> None:
    execute_script(_DOWN)
