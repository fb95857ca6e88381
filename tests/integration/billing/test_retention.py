"""Stored answers go after their time; what was paid stays known."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from billing import retention
from billing.charges import AnswerExpired, Replayed
from billing.database import Database
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.retention import keep_pruned, prune_answers
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_only_answers_older_than_asked_are_pruned(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    account = await make_account("5")
    old, new = make_charge(account), make_charge(account)
    await ledger.charge([old, new])
    await superuser.execute(
        "UPDATE answers SET created_at = now() - interval '25 hours' WHERE charge_id = $1",
        old.charge_id,
    )
    assert await prune_answers(database, timedelta(hours=24)) == 1
    assert await ledger.find_earlier(account, old.charge_id, None) == AnswerExpired(old.charge_id)
    assert isinstance(await ledger.find_earlier(account, new.charge_id, None), Replayed)
    assert (await reconcile(database)).is_clean


async def test_more_than_one_chunk_is_pruned(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "_CHUNK_ROWS_MAX", 2)
    account = await make_account("5")
    await ledger.charge([make_charge(account) for _ in range(5)])
    assert await prune_answers(database, timedelta(0)) == 5
    assert await prune_answers(database, timedelta(0)) == 0


async def test_answers_go_by_themselves_as_they_come_of_age(
    database: Database, ledger: PostgresLedger, make_account: MakeAccount
) -> None:
    account = await make_account("5")
    pruning = asyncio.create_task(keep_pruned(database, timedelta(0), pause_seconds=0.01))
    try:
        async with asyncio.timeout(10):
            for charge in (make_charge(account), make_charge(account)):
                await ledger.charge([charge])
                while await ledger.find_earlier(account, charge.charge_id, None) != AnswerExpired(
                    charge.charge_id
                ):
                    await asyncio.sleep(0.01)
    finally:
        pruning.cancel()
        await asyncio.wait([pruning])
    assert (await reconcile(database)).is_clean
