"""The ledger in PostgreSQL under races, and when the database misbehaves."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from billing import charging
from billing.charge_sql import CHARGE
from billing.charges import (
    Charge,
    Charged,
    ChargeRejected,
    InsufficientCredits,
    Outcome,
    Replayed,
    SpendingCapReached,
)
from billing.choice import Available
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import LedgerUnavailable, OutcomeUnknown
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.settings import BillingSettings
from tests.charges import count_kinds, make_charge, make_poison
from tests.integration.billing.conftest import MakeAccount, MakeCappedKey

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_INSERT_PREDICTION = "INSERT INTO predictions VALUES ($1, $2, 'k', 'r', 'm', '1', 1, 1000000, $3)"


@pytest.fixture
async def other_ledger(settings: BillingSettings) -> AsyncIterator[PostgresLedger]:
    """Another process's ledger: a pool of its own on the same database."""
    database = Database(settings)
    yield PostgresLedger(database)
    await database.close()


async def _charge_singly(ledger: PostgresLedger, charges: Sequence[Charge]) -> list[Outcome]:
    outcomes = await asyncio.gather(*(ledger.charge([charge]) for charge in charges))
    return [outcome for [outcome] in outcomes]


async def test_every_charge_has_its_entry_prediction_and_answer(
    ledger: PostgresLedger, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account = await make_account("2")
    charge = make_charge(account, "0.5")
    await ledger.charge([charge, make_charge(account, "9"), make_poison(account)])
    [entry] = await superuser.fetch("SELECT * FROM entries WHERE kind = 'charge'")
    [prediction] = await superuser.fetch("SELECT * FROM predictions")
    [answer] = await superuser.fetch("SELECT * FROM answers")
    assert (entry["charge_id"], entry["account_id"]) == (charge.charge_id, account)
    assert entry["amount_microcredits"] == -500_000
    assert prediction["charge_id"] == charge.charge_id
    assert (prediction["key_id"], prediction["instances"]) == (charge.key_id, 1)
    assert (answer["inputs"], answer["predictions"]) == (charge.inputs, charge.predictions)


async def test_racing_ledgers_charge_exactly_what_the_account_holds(
    ledger: PostgresLedger,
    other_ledger: PostgresLedger,
    make_account: MakeAccount,
    database: Database,
) -> None:
    account = await make_account("20")
    charges = [make_charge(account) for _ in range(200)]
    first, second = await asyncio.gather(
        _charge_singly(ledger, charges[:100]), _charge_singly(other_ledger, charges[100:])
    )
    assert count_kinds(first + second) == {"Charged": 20, "InsufficientCredits": 180}
    assert await ledger.fetch_balance(account) == ZERO
    assert (await reconcile(database)).is_clean


async def test_racing_batches_charge_exactly_what_the_account_holds(
    ledger: PostgresLedger,
    other_ledger: PostgresLedger,
    make_account: MakeAccount,
    database: Database,
) -> None:
    account = await make_account("50")
    batches = [[make_charge(account) for _ in range(20)] for _ in range(25)]
    ledgers = itertools.cycle((ledger, other_ledger))
    outcomes = await asyncio.gather(*(next(ledgers).charge(batch) for batch in batches))
    kinds = count_kinds(outcome for batch in outcomes for outcome in batch)
    assert kinds == {"Charged": 50, "InsufficientCredits": 450}
    assert (await reconcile(database)).is_clean


async def test_balance_is_never_seen_negative_during_a_race(
    ledger: PostgresLedger, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account = await make_account("20")
    seen = []

    async def watch() -> None:
        while True:
            seen.append(await superuser.fetchval("SELECT min(posted - held) FROM balances"))

    watching = asyncio.create_task(watch())
    await _charge_singly(ledger, [make_charge(account) for _ in range(100)])
    watching.cancel()
    await asyncio.wait([watching])
    assert seen
    assert min(seen) >= 0


async def test_100_concurrent_charges_of_one_key_charge_once(
    ledger: PostgresLedger, other_ledger: PostgresLedger, make_account: MakeAccount
) -> None:
    account = await make_account("100")
    charge = make_charge(account)
    first, second = await asyncio.gather(
        _charge_singly(ledger, [charge] * 50), _charge_singly(other_ledger, [charge] * 50)
    )
    assert count_kinds(first + second) == {"Charged": 1, "Replayed": 99}
    assert await ledger.fetch_balance(account) == Credits.parse("99")


@pytest.fixture
def deadlocks_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without their retries, which would hide them."""
    monkeypatch.setattr(charging, "_RETRIES_MAX", 0)


@pytest.mark.usefixtures("deadlocks_fail")
async def test_batches_in_opposite_orders_do_not_deadlock(
    ledger: PostgresLedger,
    other_ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    """Both are stopped half-way, at an id that a third transaction holds for a while."""
    account = await make_account("9")
    first, held, last = (make_charge(account, charge_id=uuid.UUID(int=n)) for n in (1, 2, 3))
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute(_INSERT_PREDICTION, held.charge_id, account, held.body_sha256)
    forth = asyncio.create_task(ledger.charge([first, held, last]))
    back = asyncio.create_task(other_ledger.charge([last, held, first]))
    await asyncio.sleep(0.3)
    await transaction.rollback()
    outcomes = await forth + await back
    assert count_kinds(outcomes) == {"Charged": 3, "Replayed": 3}


async def test_balances_are_locked_sorted_by_account(superuser: asyncpg.Connection) -> None:
    """A plan that locks in another order deadlocks too rarely for a race to show it."""
    await superuser.execute("SET plan_cache_mode = force_generic_plan")
    await superuser.execute(f"PREPARE charge AS {CHARGE}")
    nulls = ", ".join(["NULL"] * 12)
    plan = [row[0].strip() for row in await superuser.fetch(f"EXPLAIN EXECUTE charge({nulls})")]
    [lock] = [place for place, line in enumerate(plan) if "LockRows" in line]
    assert "Sort " in plan[lock + 1]
    assert plan[lock + 2] == "Sort Key: sums.account_id"


@pytest.mark.usefixtures("deadlocks_fail")
async def test_overlapping_batches_in_any_order_never_deadlock(
    ledger: PostgresLedger,
    other_ledger: PostgresLedger,
    make_account: MakeAccount,
) -> None:
    accounts = [await make_account("1000") for _ in range(6)]
    shared = [make_charge(account) for account in accounts for _ in range(3)]
    batches = []
    for number in range(40):
        fresh = [make_charge(account) for account in accounts[number % 3 :]]
        batch = (shared + fresh)[:: 1 if number % 2 else -1]
        batches.append(batch[number % 7 :] + batch[: number % 7])
    ledgers = itertools.cycle((ledger, other_ledger))
    outcomes = await asyncio.gather(*(next(ledgers).charge(batch) for batch in batches))
    kinds = count_kinds(outcome for batch in outcomes for outcome in batch)
    fresh_charges = sum(len(batch) - len(shared) for batch in batches)
    assert kinds["Charged"] == len(shared) + fresh_charges
    assert kinds["Replayed"] == 39 * len(shared)


async def test_loser_waits_for_the_same_key_in_flight_and_replays(
    ledger: PostgresLedger, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account = await make_account("5")
    charge = make_charge(account)
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute(_INSERT_PREDICTION, charge.charge_id, account, charge.body_sha256)
    await superuser.execute(
        "INSERT INTO answers (charge_id, inputs, predictions) VALUES ($1, '', 'won')",
        charge.charge_id,
    )
    losing = asyncio.create_task(ledger.charge([charge]))
    await asyncio.sleep(0.2)
    assert not losing.done()
    await transaction.commit()
    [outcome] = await losing
    assert isinstance(outcome, Replayed)
    assert outcome.answer.predictions == b"won"


async def test_refusal_by_the_database_leads_to_another_choice(
    ledger: PostgresLedger,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    """Another spends between the look at the balance and the charge."""
    account = await make_account("3")
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute("UPDATE balances SET posted = posted - 2000000")
    charges = [make_charge(account) for _ in range(3)]
    losing = asyncio.create_task(ledger.charge(charges))
    await asyncio.sleep(0.2)
    assert not losing.done()
    await transaction.commit()
    outcomes = await losing
    assert [type(outcome) for outcome in outcomes] == [
        Charged,
        InsufficientCredits,
        InsufficientCredits,
    ]


async def test_rounds_are_bounded_and_end_with_each_charge_alone(
    ledger: PostgresLedger, make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the balances read were out of date, the database has the last word."""
    account = await make_account("2")
    plenty = Available({account: Credits.parse("100")})

    async def fetch_stale(*_: object) -> Available:
        return plenty

    monkeypatch.setattr(charging, "fetch_available", fetch_stale)
    outcomes = await ledger.charge([make_charge(account) for _ in range(4)])
    assert count_kinds(outcomes) == {"Charged": 2, "InsufficientCredits": 2}


async def test_entries_are_numbered_in_the_order_of_arrival(
    ledger: PostgresLedger, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account, other = await make_account("50"), await make_account("5")
    batches = [[make_charge(account), make_charge(other), make_charge(account)] for _ in range(2)]
    outcomes = [outcome for batch in batches for outcome in await ledger.charge(batch)]
    rows = await superuser.fetch(
        "SELECT sequence, charge_id, balance_microcredits FROM entries WHERE account_id = $1"
        " ORDER BY sequence",
        account,
    )
    mine = [charge for batch in batches for charge in batch if charge.account_id == account]
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["charge_id"] for row in rows[1:]] == [charge.charge_id for charge in mine]
    said = {o.charge_id: o.balance.microcredits for o in outcomes if isinstance(o, Charged)}
    assert all(said[row["charge_id"]] == row["balance_microcredits"] for row in rows[1:])


async def test_capped_key_is_refused_at_its_cap_and_others_are_not(
    ledger: PostgresLedger,
    make_account: MakeAccount,
    make_capped_key: MakeCappedKey,
) -> None:
    account = await make_account("50")
    key = await make_capped_key(account, "day", "2")
    charges = [make_charge(account, key_id=key) for _ in range(4)]
    outcomes = await ledger.charge([*charges[:3], make_charge(account), charges[0]])
    assert count_kinds(outcomes) == {"Charged": 3, "SpendingCapReached": 1, "Replayed": 1}
    assert outcomes[2] == SpendingCapReached(charges[2].charge_id, Credits.parse("1"), ZERO)
    assert await ledger.charge([charges[0]]) == [
        Replayed(outcomes[4].answer, Credits.parse("47"))  # type: ignore[union-attr]
    ]


@pytest.mark.usefixtures("deadlocks_fail")
async def test_racing_charges_of_a_capped_key_stop_at_the_cap(
    ledger: PostgresLedger,
    other_ledger: PostgresLedger,
    make_account: MakeAccount,
    make_capped_key: MakeCappedKey,
) -> None:
    account = await make_account("500")
    key = await make_capped_key(account, "total", "50")
    batches = [[make_charge(account, key_id=key) for _ in range(7)] for _ in range(20)]
    ledgers = itertools.cycle((ledger, other_ledger))
    outcomes = await asyncio.gather(*(next(ledgers).charge(batch) for batch in batches))
    kinds = count_kinds(outcome for batch in outcomes for outcome in batch)
    assert kinds == {"Charged": 50, "SpendingCapReached": 90}
    assert await ledger.fetch_balance(account) == Credits.parse("450")


async def test_lock_held_too_long_charges_nothing(
    settings: BillingSettings, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account = await make_account("3")
    impatient = Database(settings.model_copy(update={"lock_timeout_ms": 50}))
    ledger = PostgresLedger(impatient)
    async with superuser.transaction():
        await superuser.execute("SELECT * FROM balances FOR UPDATE")
        with pytest.raises(LedgerUnavailable):
            await ledger.charge([make_charge(account)])
    assert await ledger.fetch_balance(account) == Credits.parse("3")
    await impatient.close()


async def test_connection_lost_during_a_charge_leaves_the_outcome_unknown(
    ledger: PostgresLedger, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account = await make_account("3")
    charge = make_charge(account)
    async with superuser.transaction():
        await superuser.execute("SELECT * FROM balances FOR UPDATE")
        waiting = asyncio.create_task(ledger.charge([charge]))
        await asyncio.sleep(0.2)
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'farebox' AND wait_event_type = 'Lock'"
        )
        with pytest.raises(OutcomeUnknown):
            await waiting
    [outcome] = await ledger.charge([charge])
    assert isinstance(outcome, Charged)


async def test_cancelled_charge_leaves_a_usable_pool(
    settings: BillingSettings, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    account = await make_account("3")
    database = Database(settings.model_copy(update={"pool_size": 1}))
    ledger = PostgresLedger(database)
    charge = make_charge(account)
    async with superuser.transaction():
        await superuser.execute("SELECT * FROM balances FOR UPDATE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await ledger.charge([charge])
    [outcome] = await ledger.charge([charge])
    assert isinstance(outcome, Charged | Replayed)
    assert await ledger.fetch_balance(account) == Credits.parse("2")
    await database.close()


async def test_read_only_server_charges_nothing(
    database_url: str,
    ledger: PostgresLedger,
    database: Database,
    make_account: MakeAccount,
    superuser: asyncpg.Connection,
) -> None:
    account = await make_account("3")
    await database.close()
    name = await superuser.fetchval("SELECT current_database()")
    await superuser.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(LedgerUnavailable):
        await ledger.charge([make_charge(account)])
    with pytest.raises(LedgerUnavailable):
        await database.check_writable()


async def test_failure_after_the_commit_is_no_proof_of_nothing(
    ledger: PostgresLedger, make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await make_account("3")
    paid, new = make_charge(account), make_charge(account)
    await ledger.charge([paid])

    async def lose(*_: object) -> None:
        raise LedgerUnavailable("gone")

    monkeypatch.setattr(charging, "fetch_earlier", lose)
    with pytest.raises(OutcomeUnknown):
        await ledger.charge([new, paid])
    with pytest.raises(LedgerUnavailable):
        await ledger.charge([paid])


async def test_entry_of_another_history_is_rejected_alone(
    ledger: PostgresLedger, make_account: MakeAccount, superuser: asyncpg.Connection
) -> None:
    """A charge id in the ledger without a prediction: corrupt, and no reason to stop the rest."""
    account = await make_account("3")
    corrupt = make_charge(account)
    await superuser.execute(
        "INSERT INTO entries"
        " (account_id, sequence, kind, amount_microcredits, balance_microcredits, charge_id)"
        " VALUES ($1, 99, 'charge', 0, 0, $2)",
        account,
        corrupt.charge_id,
    )
    outcomes = await ledger.charge([corrupt, make_charge(account)])
    assert [type(outcome) for outcome in outcomes] == [ChargeRejected, Charged]
