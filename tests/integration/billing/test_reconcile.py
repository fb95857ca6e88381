"""Each kind of corruption is found. The superuser makes them: the application cannot."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from billing.audit.actions import COMMAND_LINE
from billing.database import Database
from billing.grants.settling import catch_up
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.refunds.actions import refund_prediction
from billing.refunds.values import NewRefund
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_INSERT_PREDICTION = (
    "INSERT INTO predictions SELECT gen_random_uuid(), account_id, key_id, request_id, model,"
    " version, instances, amount_microcredits, body_sha256 FROM predictions LIMIT 1"
)

_INSERT_TOP_UP = (
    "INSERT INTO top_ups (id, account_id, provider, status, amount_microcredits,"
    " price_minor_units, currency, paid_at)"
    " SELECT gen_random_uuid(), account_id, 'test', 'paid', 1, 1, 'usd', now() FROM balances"
)

_COPY_ENTRY = (
    "INSERT INTO entries"
    " (account_id, sequence, kind, amount_microcredits, balance_microcredits, charge_id)"
    " SELECT account_id, 4, kind, 0, balance_microcredits, charge_id FROM entries"
    " WHERE sequence = 3"
)

_CORRUPTIONS = {
    "balance_equals_sum_of_entries": ["UPDATE balances SET posted = posted + 1"],
    "account_has_balance": ["INSERT INTO accounts VALUES (gen_random_uuid(), 'no balance')"],
    "available_not_negative": [
        "ALTER TABLE balances DROP CONSTRAINT balances_available_not_negative",
        "UPDATE balances SET held = posted + 1",
    ],
    "one_entry_per_charge": [
        "ALTER TABLE entries DROP CONSTRAINT entries_charge_id_key",
        _COPY_ENTRY,
        "UPDATE balances SET sequence = 4",
    ],
    "entries_have_no_gap": ["UPDATE balances SET sequence = sequence + 1"],
    "entries_carry_the_balance": ["UPDATE entries SET balance_microcredits = 1 WHERE sequence = 2"],
    "one_prediction_per_charge": [
        "ALTER TABLE predictions DROP CONSTRAINT predictions_pkey",
        "INSERT INTO predictions SELECT * FROM predictions LIMIT 1",
    ],
    "prediction_if_and_only_if_charge": [_INSERT_PREDICTION],
    "prediction_agrees_with_charge": ["UPDATE predictions SET amount_microcredits = 7"],
    "answer_has_prediction": [
        "INSERT INTO answers (charge_id, inputs, predictions) VALUES (gen_random_uuid(), '', '')"
    ],
    "credits_come_as_grants": ["UPDATE grants SET sequence = 2"],
    "grant_has_left_what_was_not_used": [
        "UPDATE grants SET remaining_microcredits = remaining_microcredits - 1"
    ],
    "grants_have_left_what_the_balance_was": ["UPDATE settled SET sequence = 2"],
    "uses_add_up_to_their_debits": [
        "UPDATE grant_uses SET last_microcredits = last_microcredits + 1"
    ],
    "refunds_within_the_charge": ["UPDATE refunds SET amount_microcredits = 2"],
    "refund_has_its_entry": ["UPDATE refunds SET id = gen_random_uuid()"],
    "held_equals_open_holds": ["UPDATE balances SET held = 1"],
    "captured_hold_has_one_entry": [
        (
            "INSERT INTO holds (id, account_id, amount_microcredits, captured_microcredits, status,"
            " reason, expires_at, resolved_at)"
            " SELECT gen_random_uuid(), account_id, 1, 1, 'captured', 'job', now(), now()"
            " FROM balances"
        )
    ],
    "paid_top_up_has_one_entry": [_INSERT_TOP_UP],
    "charged_back_was_taken_or_is_owed": [
        (
            "INSERT INTO debts (top_up_id, account_id, amount_microcredits)"
            " SELECT gen_random_uuid(), account_id, 1 FROM balances"
        )
    ],
    "repaid_debts_equal_entries": [
        (
            "INSERT INTO debts (top_up_id, account_id, amount_microcredits, repaid_microcredits)"
            " SELECT gen_random_uuid(), account_id, 1, 1 FROM balances"
        )
    ],
}


@pytest.fixture
async def account(
    database: Database, ledger: PostgresLedger, make_account: MakeAccount
) -> uuid.UUID:
    """One that was charged twice, and settled."""
    account_id = await make_account("5")
    await ledger.charge([make_charge(account_id), make_charge(account_id)])
    await catch_up(database, account_id)
    return account_id


async def _refund(database: Database, account_id: uuid.UUID) -> None:
    """One of its charges."""
    async with database.connection() as connection:
        charge_id = await connection.fetchval("SELECT charge_id FROM predictions LIMIT 1")
    request = NewRefund(uuid.uuid4(), charge_id, None, "test")
    await refund_prediction(
        database,
        COMMAND_LINE,
        request,
        now=datetime(2030, 1, 1, tzinfo=UTC),
        grace=timedelta(days=1),
    )


async def test_sound_ledger_is_clean(database: Database, account: uuid.UUID) -> None:
    report = await reconcile(database)
    assert report.is_clean
    assert report.rows == {
        "accounts": 1,
        "balances": 1,
        "entries": 3,
        "predictions": 2,
        "answers": 2,
    }
    assert set(report.rules) == set(_CORRUPTIONS)


@pytest.mark.parametrize("rule", _CORRUPTIONS)
async def test_corruption_is_found(
    rule: str, database: Database, account: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    if rule.startswith("refund"):
        await _refund(database, account)
        assert (await reconcile(database)).is_clean
    for statement in _CORRUPTIONS[rule]:
        await superuser.execute(statement)
    report = await reconcile(database)
    assert not report.is_clean
    assert rule in [breach.rule for breach in report.breaches]


async def test_breach_names_whom_it_concerns(
    database: Database, account: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("UPDATE balances SET posted = posted + 1")
    [breach] = (await reconcile(database)).breaches
    assert (breach.count, breach.examples) == (1, (str(account),))


async def test_entry_of_an_account_without_balance_is_found(
    database: Database, account: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("DELETE FROM balances")
    rules = [breach.rule for breach in (await reconcile(database)).breaches]
    assert rules == ["balance_equals_sum_of_entries", "account_has_balance"]


async def test_charge_without_prediction_is_found(
    database: Database, account: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("DELETE FROM predictions")
    breaches = {breach.rule: breach.count for breach in (await reconcile(database)).breaches}
    assert breaches == {"prediction_if_and_only_if_charge": 2, "answer_has_prediction": 2}


async def test_report_lists_the_first_20_and_counts_all(
    database: Database, account: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    for _ in range(25):
        await superuser.execute(_INSERT_PREDICTION)
    [breach] = (await reconcile(database)).breaches
    assert (breach.count, len(breach.examples)) == (25, 20)
