"""Large answers are stored as they are: PostgreSQL's own compression of 1,024 packed rows took
longer than the model took to score them.
"""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE answers ALTER COLUMN inputs SET STORAGE EXTERNAL;
ALTER TABLE answers ALTER COLUMN predictions SET STORAGE EXTERNAL;
"""

_DOWN = """
ALTER TABLE answers ALTER COLUMN inputs SET STORAGE EXTENDED;
ALTER TABLE answers ALTER COLUMN predictions SET STORAGE EXTENDED;
"""


def upgrade() -> None:
    """What is stored already stays as it is, and goes within a day."""
    execute_script(_UP)


def downgrade() -> None:
    execute_script(_DOWN)
