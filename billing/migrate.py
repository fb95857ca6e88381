"""Bring a database's schema up to date, or take the newest migration back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config

# Alembic keeps the running environment in module globals: one run at a time in a process.
# Between processes an advisory lock in the database does the same (`migrations/env.py`).
_one_run_at_a_time = threading.Lock()


async def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrade to the newest schema. Safe to run from many starters at once, and again.

    `database_url` is `postgresql://...` of a user that may create tables and roles.
    """
    await asyncio.to_thread(_run, command.upgrade, database_url, revision)


async def downgrade_newest(database_url: str) -> None:
    """Take the newest migration back, with the data it holds."""
    await asyncio.to_thread(_run, command.downgrade, database_url, "-1")


def _run(step: Callable[[Config, str], None], database_url: str, revision: str) -> None:
    with _one_run_at_a_time:
        step(_make_config(database_url), revision)


def _make_config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    return config
