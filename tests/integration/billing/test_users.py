"""The command line's admin, and how many passwords are hashed at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from billing.audit.actions import COMMAND_LINE
from billing.database import Database
from billing.users.errors import PasswordsBusy
from billing.users.passwords import HashCost, Passwords
from billing.users.roles import promote_admin
from billing.users.signing_up import create_admin

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_admin_of_the_command_line_is_made_or_promoted_and_audited(
    database: Database, superuser: asyncpg.Connection
) -> None:
    assert await promote_admin(database, "eva@example.com") is False
    now = datetime.now(UTC)
    await create_admin(database, "eva@example.com", "hash", actor=COMMAND_LINE, now=now)
    await superuser.execute("UPDATE users SET role = 'user'")
    assert await promote_admin(database, "eva@example.com") is True
    assert await superuser.fetchval("SELECT role FROM users") == "admin"
    log = await superuser.fetch("SELECT actor_role, action, actor_id FROM audit ORDER BY id")
    assert [tuple(row) for row in log] == [
        ("command_line", "create_admin", None),
        ("command_line", "set_role", None),
    ]


async def test_passwords_that_wait_are_bounded() -> None:
    passwords = Passwords(HashCost(1, 8, 1, at_once=1, waiting_max=1))
    results = await asyncio.gather(
        *(passwords.hash("a password") for _ in range(3)), return_exceptions=True
    )
    assert [isinstance(each, PasswordsBusy) for each in results] == [False, False, True]
    assert await passwords.verify("a password", str(results[0]))
    assert not await passwords.verify("a password", "no hash at all")
