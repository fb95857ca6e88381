"""A request is decided once, whoever else asks, refunds or deletes at the same time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import func, select

from billing.audit.actions import Actor
from billing.credits import Credits
from billing.database import Database
from billing.errors import AccountMissing, IdempotencyConflict
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.refund_requests.actions import accept_request, decline_request, request_refund
from billing.refund_requests.errors import (
    PredictionFree,
    PredictionRefunded,
    RequestDecided,
    RequestMissing,
    RequestOpen,
    RequestsTooMany,
)
from billing.refund_requests.queries import fetch_request
from billing.refund_requests.tables import refund_requests
from billing.refund_requests.values import Decision, NewRequest, RefundRequest, Status
from billing.refunds.actions import refund_prediction
from billing.refunds.errors import PredictionMissing, RefundExceedsCharge
from billing.refunds.tables import refunds
from billing.refunds.values import NewRefund
from billing.users.closing import close_account
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_NOW = datetime(2030, 1, 1, tzinfo=UTC)
_GRACE = timedelta(days=30)
_OPERATOR = Actor("operator", uuid.UUID(int=1))
_REASONS = {Status.ACCEPTED: "you are right", Status.DECLINED: "as it should be"}


@pytest.fixture
async def account_id(make_account: MakeAccount) -> uuid.UUID:
    return await make_account("20")


@pytest.fixture
async def charge_id(ledger: PostgresLedger, account_id: uuid.UUID) -> uuid.UUID:
    """A charge of 7."""
    charge = make_charge(account_id, "7")
    await ledger.charge([charge])
    return charge.charge_id


async def ask(
    database: Database,
    account_id: uuid.UUID,
    charge_id: uuid.UUID,
    *,
    id_: uuid.UUID | None = None,
    reason: str = "wrong answer",
    open_max: int = 100,
) -> RefundRequest:
    new = NewRequest(id_ or uuid.uuid4(), account_id, charge_id, reason)
    return (await request_refund(database, new, open_max=open_max)).thing


async def accept(
    database: Database, request_id: uuid.UUID, amount: str | None = None
) -> RefundRequest:
    decision = Decision(_NOW, _REASONS[Status.ACCEPTED], uuid.uuid4())
    credits_back = Credits.parse(amount) if amount else None
    return await accept_request(
        database, _OPERATOR, request_id, credits_back, decision, grace=_GRACE
    )


async def decline(database: Database, request_id: uuid.UUID) -> RefundRequest:
    decision = Decision(_NOW, _REASONS[Status.DECLINED])
    return await decline_request(database, _OPERATOR, request_id, decision)


async def refund(database: Database, charge_id: uuid.UUID, amount: str | None = None) -> uuid.UUID:
    new = NewRefund(uuid.uuid4(), charge_id, Credits.parse(amount) if amount else None, "an outage")
    made = await refund_prediction(database, _OPERATOR, new, now=_NOW, grace=_GRACE)
    return made.thing.id


async def test_accepting_gives_back_all_that_is_left(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await refund(database, charge_id, "2")
    request = await ask(database, account_id, charge_id)
    assert (request.status, request.refunded, request.decided_at) == (Status.OPEN, None, None)
    accepted = await accept(database, request.id)
    assert (accepted.status, str(accepted.refunded)) == (Status.ACCEPTED, "5")
    assert (accepted.decided_at, accepted.decision_reason) == (_NOW, "you are right")
    assert accepted == await fetch_request(database, request.id)
    balance = "SELECT posted / 1000000 FROM balances WHERE account_id = $1"
    assert await superuser.fetchval(balance, account_id) == 20
    assert (await reconcile(database)).is_clean


async def test_decisions_and_the_refund_are_in_the_audit_log_without_the_users_words(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    first = await ask(database, account_id, charge_id, reason="my secret")
    await decline(database, first.id)
    second = await ask(database, account_id, charge_id, reason="my secret")
    await accept(database, second.id, "3")
    rows = await superuser.fetch("SELECT action, target, details::text FROM audit ORDER BY id")
    assert [(row["action"], row["target"]) for row in rows[-3:]] == [
        ("decline_refund_request", str(first.id)),
        ("refund_prediction", str(charge_id)),
        ("accept_refund_request", str(second.id)),
    ]
    assert "my secret" not in str(rows)
    entries = await superuser.fetch("SELECT reason FROM entries")
    assert "my secret" not in str(entries)


async def test_one_request_of_a_prediction_is_open_at_a_time(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID
) -> None:
    outcomes = await asyncio.gather(
        *(ask(database, account_id, charge_id) for _ in range(4)), return_exceptions=True
    )
    made = [each for each in outcomes if isinstance(each, RefundRequest)]
    refused = [each for each in outcomes if isinstance(each, RequestOpen)]
    assert (len(made), len(refused)) == (1, 3)
    assert {each.request.id for each in refused} == {made[0].id}
    await accept(database, made[0].id, "3")
    again = await ask(database, account_id, charge_id)
    assert again.status is Status.OPEN


async def test_the_database_itself_keeps_a_second_one_out(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await ask(database, account_id, charge_id)
    copy = (
        "INSERT INTO refund_requests (id, account_id, charge_id, reason)"
        " SELECT gen_random_uuid(), account_id, charge_id, reason FROM refund_requests"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await superuser.execute(copy)


@pytest.mark.parametrize(
    "changes",
    [
        "status = 'accepted'",
        "status = 'declined'",
        "status = 'accepted', decided_at = now(), decision_reason = 'x'",
        "status = 'declined', decided_at = now(), decision_reason = 'x', refund_id = charge_id",
        "status = 'declined', decided_at = now()",
        "decided_at = now()",
        "decision_reason = 'x'",
        "decided_by = gen_random_uuid()",
        "status = 'waiting'",
    ],
)
async def test_the_database_knows_the_states(
    changes: str,
    database: Database,
    account_id: uuid.UUID,
    charge_id: uuid.UUID,
    superuser: asyncpg.Connection,
) -> None:
    await ask(database, account_id, charge_id)
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute(f"UPDATE refund_requests SET {changes}")


async def test_the_same_request_again_is_the_same(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID
) -> None:
    id_ = uuid.uuid4()
    first = await ask(database, account_id, charge_id, id_=id_)
    assert await ask(database, account_id, charge_id, id_=id_) == first
    with pytest.raises(IdempotencyConflict):
        await ask(database, account_id, charge_id, id_=id_, reason="another")
    declined = await decline(database, id_)
    assert await ask(database, account_id, charge_id, id_=id_) == declined


async def test_what_cost_nothing_or_was_refunded_or_is_anothers_is_refused(
    database: Database,
    ledger: PostgresLedger,
    account_id: uuid.UUID,
    charge_id: uuid.UUID,
    make_account: MakeAccount,
) -> None:
    with pytest.raises(PredictionMissing):
        await ask(database, account_id, uuid.uuid4())
    with pytest.raises(PredictionMissing):
        await ask(database, await make_account("1"), charge_id)
    free = make_charge(account_id, "0")
    await ledger.charge([free])
    with pytest.raises(PredictionFree):
        await ask(database, account_id, free.charge_id)
    await refund(database, charge_id)
    with pytest.raises(PredictionRefunded):
        await ask(database, account_id, charge_id)
    assert (await reconcile(database)).is_clean


async def test_open_requests_of_an_account_are_bounded(
    database: Database, ledger: PostgresLedger, account_id: uuid.UUID
) -> None:
    charges = [make_charge(account_id, "1") for _ in range(3)]
    await ledger.charge(charges)
    first, *_ = [
        await ask(database, account_id, each.charge_id, open_max=2) for each in charges[:2]
    ]
    with pytest.raises(RequestsTooMany):
        await ask(database, account_id, charges[2].charge_id, open_max=2)
    await decline(database, first.id)
    await ask(database, account_id, charges[2].charge_id, open_max=2)


async def test_more_than_is_left_is_not_accepted_and_the_request_stays_open(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID
) -> None:
    request = await ask(database, account_id, charge_id)
    with pytest.raises(RefundExceedsCharge):
        await accept(database, request.id, "7.000001")
    assert (await fetch_request(database, request.id)).status is Status.OPEN
    with pytest.raises(RequestMissing):
        await accept(database, uuid.uuid4())
    with pytest.raises(RequestMissing):
        await decline(database, uuid.uuid4())


async def test_a_refund_that_leaves_nothing_accepts_the_open_request(
    database: Database, account_id: uuid.UUID, charge_id: uuid.UUID
) -> None:
    request = await ask(database, account_id, charge_id)
    await refund(database, charge_id, "3")
    assert (await fetch_request(database, request.id)).status is Status.OPEN
    refund_id = await refund(database, charge_id, "4")
    closed = await fetch_request(database, request.id)
    assert (closed.status, closed.refund_id, str(closed.refunded)) == (
        Status.ACCEPTED,
        refund_id,
        "4",
    )
    assert closed.decision_reason == "an outage"
    with pytest.raises(RequestDecided) as refused:
        await accept(database, request.id)
    assert refused.value.request == closed


async def _decided(
    database: Database, request_id: uuid.UUID, *racers: Awaitable[RefundRequest]
) -> RefundRequest:
    """The one decision that won; every other one was told of it."""
    outcomes = await asyncio.gather(*racers, return_exceptions=True)
    won = [each for each in outcomes if isinstance(each, RefundRequest)]
    lost = [each.request for each in outcomes if isinstance(each, RequestDecided)]
    assert (len(won), len(lost)) == (1, len(racers) - 1), outcomes
    assert won[0] == await fetch_request(database, request_id)
    assert all(each == won[0] for each in lost)
    return won[0]


async def test_of_decisions_at_once_one_stands_and_the_others_are_told_of_it(
    database: Database, ledger: PostgresLedger, account_id: uuid.UUID
) -> None:
    statuses = set()
    for number in range(6):
        charge = make_charge(account_id, "1")
        await ledger.charge([charge])
        request = await ask(database, account_id, charge.charge_id)
        racers = [
            accept(database, request.id),
            decline(database, request.id),
            accept(database, request.id, "0.5"),
            decline(database, request.id),
        ]
        racers = racers[number % 4 :] + racers[: number % 4]
        statuses.add((await _decided(database, request.id, *racers)).status)
    assert await _count_refunds(database) == await _count_refunds(database, accepted_requests=True)
    assert statuses <= {Status.ACCEPTED, Status.DECLINED}
    assert (await reconcile(database)).is_clean


async def _count_refunds(database: Database, *, accepted_requests: bool = False) -> int:
    counted = refund_requests if accepted_requests else refunds
    query = select(func.count()).select_from(counted)
    if accepted_requests:
        query = query.where(refund_requests.c.status == Status.ACCEPTED)
    async with database.begin() as connection:
        count: int = (await connection.execute(query)).scalar_one()
    return count


async def test_no_request_stays_open_on_what_is_refunded_in_full_meanwhile(
    database: Database, ledger: PostgresLedger, account_id: uuid.UUID
) -> None:
    for _ in range(6):
        charge = make_charge(account_id, "1")
        await ledger.charge([charge])
        asked, _ = await asyncio.gather(
            ask(database, account_id, charge.charge_id),
            refund(database, charge.charge_id),
            return_exceptions=True,
        )
        if isinstance(asked, RefundRequest):
            request = await fetch_request(database, asked.id)
            assert request.status is Status.ACCEPTED
        else:
            assert isinstance(asked, PredictionRefunded)


async def test_deleting_the_account_blanks_the_users_words_and_declines_what_is_open(
    database: Database,
    ledger: PostgresLedger,
    superuser: asyncpg.Connection,
    account_id: uuid.UUID,
    charge_id: uuid.UUID,
) -> None:
    await superuser.execute(
        "INSERT INTO users (account_id, email, password_hash) VALUES ($1, 'a@example.com', 'h')",
        account_id,
    )
    other = make_charge(account_id, "1")
    await ledger.charge([other])
    decided = await accept(database, (await ask(database, account_id, other.charge_id)).id)
    waiting = await ask(database, account_id, charge_id)
    await close_account(
        database, account_id, verified_hash="h", forfeited=Credits.parse("13"), now=_NOW
    )
    kept = await fetch_request(database, decided.id)
    assert (kept.reason, kept.status, kept.decision_reason) == (
        "",
        Status.ACCEPTED,
        "you are right",
    )
    ended = await fetch_request(database, waiting.id)
    assert (ended.reason, ended.status, ended.decision_reason) == (
        "",
        Status.DECLINED,
        "account deleted",
    )
    with pytest.raises(RequestDecided):
        await accept(database, waiting.id)
    with pytest.raises(AccountMissing):
        await ask(database, account_id, charge_id)
