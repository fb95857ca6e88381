"""Refunds go back to what had paid, and never above the charge."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.audit.actions import Actor
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.grants.actions import Made
from billing.grants.adding import add_grant
from billing.grants.expiring import expire_grants
from billing.grants.feed import settle_feed
from billing.grants.queries import total_of
from billing.grants.values import Use
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.refunds.actions import refund_prediction
from billing.refunds.errors import PredictionMissing, RefundExceedsCharge
from billing.refunds.values import NewRefund, Refund, choose_parts
from billing.settings import BillingSettings
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_NOW = datetime(2030, 1, 1, tzinfo=UTC)
_GRACE = timedelta(days=30)
_OPERATOR = Actor("operator", uuid.UUID(int=1))


async def _refund(
    database: Database,
    charge_id: uuid.UUID,
    amount: str | None = None,
    *,
    refund_id: uuid.UUID | None = None,
    now: datetime = _NOW,
) -> Made[Refund]:
    request = NewRefund(
        refund_id or uuid.uuid4(), charge_id, Credits.parse(amount) if amount else None, "test"
    )
    return await refund_prediction(database, _OPERATOR, request, now=now, grace=_GRACE)


@pytest.fixture
async def charge_id(
    database: Database, ledger: PostgresLedger, make_account: MakeAccount
) -> uuid.UUID:
    """A charge of 7: 2 from a promotion for a day, 5 from what has no expiry."""
    account_id = await make_account("10")
    async with database.begin() as connection:
        await add_grant(
            connection,
            account_id,
            Credits.parse("2"),
            reason="promotion",
            priority=0,
            expires_at=_NOW + timedelta(days=1),
        )
    charge = make_charge(account_id, "7")
    await ledger.charge([charge])
    return charge.charge_id


async def _fetch_refund_grants(superuser: asyncpg.Connection) -> list[tuple[int, int, object]]:
    rows = await superuser.fetch(
        "SELECT amount_microcredits / 1000000, priority, expires_at FROM grants"
        " WHERE origin = 'refund' ORDER BY sequence, priority"
    )
    return [tuple(row) for row in rows]


async def test_refund_goes_back_in_reverse_to_what_had_paid(
    database: Database, charge_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await _refund(database, charge_id, "3")
    await _refund(database, charge_id, "3")
    assert (await _refund(database, charge_id)).thing.amount == Credits.parse("1")
    day = _NOW + timedelta(days=1)
    assert await _fetch_refund_grants(superuser) == [
        (3, 50, None),
        (1, 0, day),
        (2, 50, None),
        (1, 0, day),
    ]
    audited = "SELECT count(*) FROM audit WHERE action = 'refund_prediction'"
    assert await superuser.fetchval(audited) == 3
    assert (await reconcile(database)).breaches == ()


async def test_refund_to_an_expired_grant_is_of_use_for_a_while(
    database: Database, charge_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    late = _NOW + timedelta(days=5)
    await expire_grants(database, late)
    await _refund(database, charge_id, now=late)
    assert await _fetch_refund_grants(superuser) == [(2, 0, late + _GRACE), (5, 50, None)]
    await expire_grants(database, late)
    assert await superuser.fetchval("SELECT posted FROM balances") == 12_000_000
    await expire_grants(database, late + _GRACE)
    assert await superuser.fetchval("SELECT posted FROM balances") == 10_000_000
    assert (await reconcile(database)).breaches == ()


async def test_refund_above_the_charge_names_what_is_left(
    database: Database, charge_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    await _refund(database, charge_id, "3")
    with pytest.raises(RefundExceedsCharge) as refused:
        await _refund(database, charge_id, "4.000001")
    assert refused.value.left == Credits.parse("4")
    await _refund(database, charge_id, "4")
    with pytest.raises(RefundExceedsCharge):
        await _refund(database, charge_id)
    assert await superuser.fetchval("SELECT posted FROM balances") == 12_000_000


async def test_same_refund_again_gives_back_once(
    database: Database, charge_id: uuid.UUID, superuser: asyncpg.Connection
) -> None:
    refund_id = uuid.uuid4()
    first = await _refund(database, charge_id, "3", refund_id=refund_id)
    again = await _refund(database, charge_id, "3", refund_id=refund_id)
    assert (again.thing, again.is_replay) == (first.thing, True)
    with pytest.raises(IdempotencyConflict):
        await _refund(database, charge_id, "2", refund_id=refund_id)
    assert await superuser.fetchval("SELECT count(*) FROM refunds") == 1


async def test_what_was_free_or_never_was_cannot_be_refunded(
    database: Database, ledger: PostgresLedger, make_account: MakeAccount
) -> None:
    free = make_charge(await make_account("1"), "0")
    await ledger.charge([free])
    with pytest.raises(RefundExceedsCharge):
        await _refund(database, free.charge_id)
    with pytest.raises(PredictionMissing):
        await _refund(database, uuid.uuid4())


async def test_racing_refunds_stay_within_the_charge(
    database: Database, charge_id: uuid.UUID, settings: BillingSettings
) -> None:
    other = Database(settings)
    outcomes = await asyncio.gather(
        *(_refund(each, charge_id, "3") for each in (database, other) * 3),
        return_exceptions=True,
    )
    await other.close()
    refused = [outcome for outcome in outcomes if isinstance(outcome, RefundExceedsCharge)]
    assert (len(outcomes) - len(refused), len(refused)) == (2, 4)
    assert (await reconcile(database)).breaches == ()


async def test_refunds_against_charges_and_settlement(
    database: Database,
    ledger: PostgresLedger,
    make_account: MakeAccount,
    settings: BillingSettings,
    superuser: asyncpg.Connection,
) -> None:
    account_id = await make_account("100")
    refundable = [make_charge(account_id) for _ in range(15)]
    await ledger.charge(refundable)
    other = Database(settings)

    async def charge() -> None:
        for _ in range(30):
            await ledger.charge([make_charge(account_id)])

    async def refund() -> None:
        for charge in refundable:
            await _refund(other, charge.charge_id, "0.5")

    async def settle() -> None:
        for _ in range(20):
            await settle_feed(database)

    await asyncio.gather(charge(), refund(), refund(), settle())
    while await settle_feed(other):
        pass
    await other.close()
    assert await superuser.fetchval("SELECT posted FROM balances") == 70_000_000
    assert (await reconcile(database)).breaches == ()


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.lists(st.integers(1, 9), min_size=1, max_size=9),
)
def test_parts_of_all_refunds_are_what_was_paid(paid: list[int], wanted: list[int]) -> None:
    uses = [Use(uuid.UUID(int=place), 0, None, Credits(each)) for place, each in enumerate(paid)]
    refunded = ZERO
    back: list[Use] = []
    for amount in [*map(Credits, wanted), total_of(uses)]:
        fitting = min(amount, total_of(uses) - refunded)
        parts = choose_parts(uses, refunded, fitting)
        assert total_of(parts) == fitting
        back += parts
        refunded = refunded + fitting
    order = [part.grant_id.int for part in back]
    assert order == sorted(order, reverse=True)
    for use in uses:
        assert total_of([part for part in back if part.grant_id == use.grant_id]) == use.amount
