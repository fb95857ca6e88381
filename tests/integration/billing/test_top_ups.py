"""Top-ups against PostgreSQL: whatever a provider tells, and in whatever order, counts once."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from billing.charges import Charged
from billing.credits import Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.history.queries import fetch_balance
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from billing.settings import BillingSettings
from billing.top_ups.actions import apply_event, begin_top_up, store_checkout
from billing.top_ups.errors import PaymentMismatch
from billing.top_ups.queries import fetch_debts, fetch_top_up
from billing.top_ups.values import Checkout, EventKind, PaymentEvent, Price, Status, TopUp
from tests.charges import make_charge
from tests.integration.billing.conftest import MakeAccount

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Tell = Callable[..., Awaitable[TopUp | None]]
_numbers = itertools.count(1)


def new_top_up(account_id: uuid.UUID, amount: str = "10") -> TopUp:
    credits_bought = Credits.parse(amount)
    price = Price(credits_bought.microcredits // 10_000, "usd")
    return TopUp(uuid.uuid4(), account_id, "test", credits_bought, price, NOW)


def make_event(top_up: TopUp, kind: EventKind, minor_units: int | None = None) -> PaymentEvent:
    money = None if minor_units is None else Price(minor_units, "usd")
    return PaymentEvent("test", f"event {next(_numbers)}", kind, top_up.id, money)


@pytest.fixture
def tell(database: Database) -> Tell:
    """Has the provider tell something new of a top-up."""

    async def tell(top_up: TopUp, kind: EventKind, minor_units: int | None = None) -> TopUp | None:
        return await apply_event(database, make_event(top_up, kind, minor_units), NOW)

    return tell


@pytest.fixture
async def other_database(settings: BillingSettings) -> AsyncIterator[Database]:
    opened = Database(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def account(make_account: MakeAccount) -> uuid.UUID:
    return await make_account("0")


@pytest.fixture
async def top_up(database: Database, account: uuid.UUID) -> TopUp:
    """A pending one of 10 credits."""
    made, _ = await begin_top_up(database, new_top_up(account))
    return made


async def make_top_up(database: Database, account: uuid.UUID, amount: str) -> TopUp:
    made, _ = await begin_top_up(database, new_top_up(account, amount))
    return made


async def spend(ledger: PostgresLedger, account: uuid.UUID, amount: str) -> None:
    [outcome] = await ledger.charge([make_charge(account, amount)])
    assert isinstance(outcome, Charged)


async def check(database: Database, account: uuid.UUID, available: str, owed: str = "0") -> None:
    """The account has so much, and every rule of the ledger holds."""
    balance = await fetch_balance(database, account)
    assert (str(balance.available), str(balance.owed)) == (available, owed)
    report = await reconcile(database)
    assert report.breaches == ()


async def test_nothing_comes_in_before_it_is_paid(
    database: Database, account: uuid.UUID, top_up: TopUp
) -> None:
    assert await fetch_top_up(database, account, top_up.id) == top_up
    await check(database, account, "0")


async def test_a_paid_top_up_brings_its_credits_to_burn_after_all_others(
    database: Database,
    account: uuid.UUID,
    top_up: TopUp,
    tell: Tell,
    superuser: asyncpg.Connection,
) -> None:
    paid = await tell(top_up, EventKind.PAID, 1000)
    assert paid is not None
    assert (paid.status, paid.paid_at) == (Status.PAID, NOW)
    await check(database, account, "10")
    grant = await superuser.fetchrow("SELECT * FROM grants WHERE source_id = $1", top_up.id)
    assert (grant["origin"], grant["priority"], grant["expires_at"]) == ("top_up", 100, None)


async def test_the_same_event_twice_credits_once(
    database: Database, account: uuid.UUID, top_up: TopUp
) -> None:
    event = make_event(top_up, EventKind.PAID, 1000)
    for _ in range(3):
        told = await apply_event(database, event, NOW)
        assert told is not None
        assert told.status is Status.PAID
    await check(database, account, "10")


async def test_two_events_of_one_payment_credit_once(
    database: Database, account: uuid.UUID, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.PAID)
    await tell(top_up, EventKind.PAID)
    await check(database, account, "10")


async def test_late_money_is_credited(
    database: Database, account: uuid.UUID, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.FAILED)
    await check(database, account, "0")
    await tell(top_up, EventKind.PAID)
    await check(database, account, "10")


async def test_less_than_the_price_credits_nothing_and_can_be_told_again(
    database: Database, account: uuid.UUID, top_up: TopUp, tell: Tell, superuser: asyncpg.Connection
) -> None:
    with pytest.raises(PaymentMismatch):
        await tell(top_up, EventKind.PAID, 999)
    await check(database, account, "0")
    assert await superuser.fetchval("SELECT count(*) FROM payment_events") == 0


async def test_an_event_of_another_provider_or_of_no_top_up_is_not_ours(
    database: Database, account: uuid.UUID, top_up: TopUp
) -> None:
    assert (
        await apply_event(database, PaymentEvent("stripe", "evt", EventKind.PAID, top_up.id), NOW)
        is None
    )
    stranger = PaymentEvent("test", "evt", EventKind.PAID, uuid.uuid4())
    assert await apply_event(database, stranger, NOW) is None
    await check(database, account, "0")


async def test_the_same_id_with_another_amount_is_a_conflict(
    database: Database, account: uuid.UUID, top_up: TopUp
) -> None:
    again, replayed = await begin_top_up(database, top_up)
    assert (again, replayed) == (top_up, True)
    other = TopUp(top_up.id, account, "test", Credits(7), Price(1, "usd"), NOW)
    with pytest.raises(IdempotencyConflict):
        await begin_top_up(database, other)


async def test_of_two_checkouts_the_first_stays(database: Database, top_up: TopUp) -> None:
    await store_checkout(database, top_up.id, Checkout("one", "https://pay/one"))
    stored = await store_checkout(database, top_up.id, Checkout("two", "https://pay/two"))
    assert (stored.provider_reference, stored.checkout_url) == ("one", "https://pay/one")


async def test_a_chargeback_takes_the_credits(
    database: Database, account: uuid.UUID, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.PAID)
    charged_back = await tell(top_up, EventKind.CHARGED_BACK)
    assert charged_back is not None
    assert charged_back.status is Status.CHARGED_BACK
    await check(database, account, "0")


async def test_partial_chargebacks_never_take_more_than_the_top_up(
    database: Database, make_account: MakeAccount, tell: Tell
) -> None:
    account = await make_account("100")
    top_up = await make_top_up(database, account, "10")
    await tell(top_up, EventKind.PAID)
    await tell(top_up, EventKind.CHARGED_BACK, 250)
    await check(database, account, "107.5")
    await tell(top_up, EventKind.CHARGED_BACK, 500)
    await check(database, account, "102.5")
    for _ in range(2):
        await tell(top_up, EventKind.CHARGED_BACK, 500)
        await check(database, account, "100")


async def test_what_was_spent_before_the_chargeback_is_a_debt(
    database: Database, account: uuid.UUID, ledger: PostgresLedger, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.PAID)
    await spend(ledger, account, "8")
    await tell(top_up, EventKind.CHARGED_BACK)
    await check(database, account, "0", owed="8")
    [debt] = await fetch_debts(database, account, after=None, limit=10)
    assert (debt.top_up_id, str(debt.owed)) == (top_up.id, "8")


async def test_debts_of_one_top_up_add_up(
    database: Database, account: uuid.UUID, ledger: PostgresLedger, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.PAID)
    await spend(ledger, account, "10")
    await tell(top_up, EventKind.CHARGED_BACK, 300)
    await check(database, account, "0", owed="3")
    await tell(top_up, EventKind.CHARGED_BACK, 400)
    await check(database, account, "0", owed="7")


async def test_the_next_top_ups_pay_debts_first_the_oldest_first(
    database: Database, account: uuid.UUID, ledger: PostgresLedger, tell: Tell
) -> None:
    bought = [await make_top_up(database, account, amount) for amount in ("5", "10")]
    for top_up in bought:
        await tell(top_up, EventKind.PAID)
    await spend(ledger, account, "15")
    for top_up in bought:
        await tell(top_up, EventKind.CHARGED_BACK)
    await check(database, account, "0", owed="15")
    await tell(await make_top_up(database, account, "7"), EventKind.PAID)
    await check(database, account, "0", owed="8")
    newer, older = await fetch_debts(database, account, after=None, limit=10)
    assert (str(older.owed), str(newer.owed)) == ("0", "8")
    await tell(await make_top_up(database, account, "10"), EventKind.PAID)
    await check(database, account, "2")


async def test_a_charged_back_top_up_that_paid_a_debt_becomes_one(
    database: Database, account: uuid.UUID, ledger: PostgresLedger, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.PAID)
    await spend(ledger, account, "10")
    await tell(top_up, EventKind.CHARGED_BACK)
    second = await make_top_up(database, account, "12")
    await tell(second, EventKind.PAID)
    await check(database, account, "2")
    await tell(second, EventKind.CHARGED_BACK)
    await check(database, account, "0", owed="10")


async def test_held_credits_are_not_taken_by_a_chargeback(
    database: Database, account: uuid.UUID, top_up: TopUp, tell: Tell, superuser: asyncpg.Connection
) -> None:
    await tell(top_up, EventKind.PAID)
    await superuser.execute("UPDATE balances SET held = 4000000")
    await superuser.execute(
        "INSERT INTO holds (id, account_id, amount_microcredits, reason, expires_at)"
        " VALUES (gen_random_uuid(), $1, 4000000, 'job', now())",
        account,
    )
    await tell(top_up, EventKind.CHARGED_BACK)
    await check(database, account, "0", owed="4")


async def test_a_chargeback_before_its_payment_leaves_no_entry(
    database: Database, account: uuid.UUID, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.CHARGED_BACK)
    paid = await tell(top_up, EventKind.PAID)
    assert paid is not None
    assert (paid.status, paid.paid_at) == (Status.CHARGED_BACK, None)
    await check(database, account, "0")


async def test_a_part_charged_back_before_the_payment_leaves_the_rest_to_pay_debts(
    database: Database, account: uuid.UUID, ledger: PostgresLedger, top_up: TopUp, tell: Tell
) -> None:
    await tell(top_up, EventKind.PAID)
    await spend(ledger, account, "10")
    await tell(top_up, EventKind.CHARGED_BACK, 400)
    second = await make_top_up(database, account, "10")
    await tell(second, EventKind.CHARGED_BACK, 300)
    await tell(second, EventKind.PAID)
    await check(database, account, "3")


async def test_events_at_once_credit_once(
    database: Database, other_database: Database, account: uuid.UUID
) -> None:
    for _ in range(5):
        top_up = await make_top_up(database, account, "1")
        same = make_event(top_up, EventKind.PAID, 100)
        events = [same, same, same, make_event(top_up, EventKind.PAID, 100)]
        pools = itertools.cycle([database, other_database])
        await asyncio.gather(
            *(apply_event(pool, event, NOW) for pool, event in zip(pools, events, strict=False))
        )
    await check(database, account, "5")


async def test_a_chargeback_against_charges_leaves_no_balance_below_zero(
    database: Database,
    other_database: Database,
    account: uuid.UUID,
    top_up: TopUp,
    tell: Tell,
) -> None:
    await tell(top_up, EventKind.PAID)
    other_ledger = PostgresLedger(other_database)

    async def charge_twenty() -> int:
        outcomes = [
            (await other_ledger.charge([make_charge(account, "0.9")]))[0] for _ in range(20)
        ]
        return sum(isinstance(outcome, Charged) for outcome in outcomes)

    parts = [tell(top_up, EventKind.CHARGED_BACK, 250) for _ in range(4)]
    charged, *_ = await asyncio.gather(charge_twenty(), *parts)
    balance = await fetch_balance(database, account)
    spent = Credits.parse("0.9") * charged
    assert balance.available - balance.owed == -spent
    assert (await reconcile(database)).is_clean


async def test_top_ups_at_once_pay_a_debt_once(
    database: Database,
    other_database: Database,
    account: uuid.UUID,
    top_up: TopUp,
    tell: Tell,
) -> None:
    await tell(top_up, EventKind.PAID)
    await spend(PostgresLedger(database), account, "10")
    await tell(top_up, EventKind.CHARGED_BACK)
    new = [await make_top_up(database, account, "4") for _ in range(4)]
    pools = itertools.cycle([database, other_database])
    await asyncio.gather(
        *(
            apply_event(pool, make_event(each, EventKind.PAID), NOW)
            for pool, each in zip(pools, new, strict=False)
        )
    )
    await check(database, account, "6")
