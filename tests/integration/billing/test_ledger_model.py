"""Whatever is charged in whatever order, PostgreSQL and memory end the same."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.charges import Charge, Outcome, Replayed
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.ledger import PostgresLedger
from billing.memory import MemoryLedger
from billing.reconcile import reconcile
from billing.retention import prune_answers
from billing.settings import BillingSettings
from tests.charges import make_charge

pytestmark = pytest.mark.integration

# Small ranges, so that ids repeat and credits run out.
_requests = st.fixed_dictionaries(
    {
        "account": st.integers(0, 2),
        "key": st.integers(0, 11),
        "body": st.sampled_from([b"one", b"two"]),
        "microcredits": st.integers(0, 4),
        "instances": st.sampled_from([1, 1, 1, 1, 0]),
        "is_capped": st.booleans(),
    }
)
_batches = st.lists(_requests, max_size=8)
_steps = st.lists(st.one_of(_batches, _batches, _batches, st.none()), max_size=6)
Steps = list[list[dict[str, object]] | None]
_caps = st.integers(0, 8)
_grants = st.lists(st.integers(1, 12), min_size=2, max_size=2)


class _Pair:
    """The same accounts in both ledgers; the third account is in neither."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.postgres = PostgresLedger(database)
        self.memory = MemoryLedger()
        self.accounts = [uuid.uuid4() for _ in range(3)]
        self.capped_keys = [uuid.uuid4().hex for _ in range(3)]

    async def open_accounts(self, grants: list[int]) -> None:
        async with self.database.connection() as connection:
            for account, amount in zip(self.accounts, grants, strict=False):
                self.memory.grant(account, Credits(amount))
                await connection.execute(
                    "INSERT INTO accounts (id, name) VALUES ($1, $2)", account, str(account)
                )
                await connection.execute(
                    "INSERT INTO entries"
                    " (account_id, sequence, kind, amount_microcredits, balance_microcredits)"
                    " VALUES ($1, 1, 'grant', $2, $2)",
                    account,
                    amount,
                )
                await connection.execute(
                    "INSERT INTO grants (id, account_id, sequence, origin, priority,"
                    " amount_microcredits, remaining_microcredits, reason)"
                    " VALUES (uuidv7(), $1, 1, 'grant', 50, $2, $2, '')",
                    account,
                    amount,
                )
                await connection.execute(
                    "INSERT INTO balances (account_id, posted, sequence) VALUES ($1, $2, 1)",
                    account,
                    amount,
                )

    async def cap_keys(self, cap: int) -> None:
        """The first account's key; the others' have no cap."""
        self.memory.cap(self.capped_keys[0], Credits(cap))
        async with self.database.connection() as connection:
            await connection.execute(
                "INSERT INTO api_keys (id, account_id, secret_hash, name, lineage_id)"
                " VALUES ($1, $2, sha256(''), 'capped', $1)",
                self.capped_keys[0],
                self.accounts[0],
            )
            await connection.execute(
                "INSERT INTO key_caps (key_id, period, lineage_id, cap_microcredits)"
                " VALUES ($1, 'total', $1, $2)",
                self.capped_keys[0],
                cap,
            )

    def make_charges(self, batch: list[dict[str, object]]) -> list[Charge]:
        return [self._make_charge(**request) for request in batch]

    def _make_charge(
        self,
        *,
        account: int,
        key: int,
        body: bytes,
        microcredits: int,
        instances: int,
        is_capped: bool,
    ) -> Charge:
        # A third of the keys collide between accounts: somebody forged an id.
        owner = self.accounts[account if key % 3 else 0]
        charge = make_charge(
            self.accounts[account],
            charge_id=uuid.uuid5(owner, str(key)),
            key_id=self.capped_keys[account] if is_capped else "key",
            body=body,
        )
        return charge._replace(amount=Credits(microcredits), instances=instances)


def _comparable(outcomes: list[Outcome], charges: list[Charge]) -> list[Outcome]:
    """Bisection commits in parts, so a replay may see the balance before a later part."""
    is_poisoned = any(charge.instances == 0 for charge in charges)
    return [
        replace(outcome, balance=ZERO) if is_poisoned and isinstance(outcome, Replayed) else outcome
        for outcome in outcomes
    ]


async def _run_both(pair: _Pair, grants: list[int], cap: int, steps: Steps) -> None:
    await pair.open_accounts(grants)
    await pair.cap_keys(cap)
    for step in steps:
        if step is None:
            pair.memory.expire_answers()
            await prune_answers(pair.database, timedelta(0))
            continue
        charges = pair.make_charges(step)
        expected = await pair.memory.charge(charges)
        outcomes = await pair.postgres.charge(charges)
        assert _comparable(outcomes, charges) == _comparable(expected, charges)
    for account in pair.accounts:
        balance = await pair.postgres.fetch_balance(account)
        assert balance == await pair.memory.fetch_balance(account) >= ZERO


def test_postgres_and_memory_agree(database_url: str) -> None:
    billing_settings = BillingSettings(database_url=database_url, key_hash_secret="s" * 32)
    with asyncio.Runner() as runner:
        database = Database(billing_settings)

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(grants=_grants, cap=_caps, steps=_steps)
        def agree(grants: list[int], cap: int, steps: Steps) -> None:
            runner.run(_run_both(_Pair(database), grants, cap, steps))

        try:
            agree()
            assert runner.run(reconcile(database)).breaches == ()
        finally:
            runner.run(database.close())
