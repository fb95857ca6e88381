"""Runs SQL scripts of several statements in a migration."""

from __future__ import annotations

from typing import Any

from alembic import op


def execute_script(script: str) -> None:
    """Run several statements at once: as prepared statements they would have to go singly."""
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(script))
