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


async def test_two_prunes_at_once_delete_each_answer_once(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "_CHUNK_ROWS_MAX", 3)
    account = await make_account("100")
    await ledger.charge([make_charge(account) for _ in range(100)])
    pruned = await asyncio.gather(*[prune_answers(database, timedelta(0)) for _ in range(3)])
    assert sum(pruned) <= 100
    assert sum(pruned) + await prune_answers(database, timedelta(0)) == 100
    assert (await reconcile(database)).is_clean


async def test_a_prune_reads_the_oldest_answers_alone(superuser: asyncpg.Connection) -> None:
    """Also once the pages of those pruned earlier are filled again."""
    fill = (
        "INSERT INTO answers (charge_id, inputs, predictions, created_at)"
        " SELECT gen_random_uuid(), '', '', now() - $1::interval FROM generate_series(1, 20000)"
    )
    for age in (timedelta(hours=50), timedelta(hours=40)):
        await superuser.execute(fill, age)
    await superuser.execute("DELETE FROM answers WHERE created_at < now() - interval '45 hours'")
    await superuser.execute("VACUUM ANALYZE answers")
    await superuser.execute(fill, timedelta(hours=1))
    await superuser.execute("SET plan_cache_mode = force_generic_plan")
    async with superuser.transaction():
        plan = "\n".join(
            row[0]
            for row in await superuser.fetch(
                f"EXPLAIN (ANALYZE, COSTS OFF) {retention._PRUNE_CHUNK}", timedelta(hours=24), 5_000
            )
        )
    assert "Rows Removed" not in plan
    assert "Seq Scan" not in plan


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
