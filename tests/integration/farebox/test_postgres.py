"""The embedded PostgreSQL as the commands use it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.postgres import embedded_postgres
from tests.postgres import run_sql

pytestmark = [pytest.mark.integration]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as the server's socket needs."""
    made = Path(tempfile.mkdtemp(prefix="fb", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_one_process_can_start_the_same_server_again(folder: Path) -> None:
    with embedded_postgres(folder / "pg") as server:
        run_sql(server.url, "CREATE TABLE kept (number int)")
    with embedded_postgres(folder / "pg") as server:
        run_sql(server.url, "INSERT INTO kept VALUES (1)")
