"""What every ledger promises: the one in PostgreSQL and the one in memory."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from billing.charges import (
    AnswerExpired,
    Charged,
    ChargeRejected,
    InsufficientCredits,
    KeyConflict,
    Replayed,
    SpendingCapReached,
    StoredAnswer,
    StoredRows,
)
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.ledger import PostgresLedger
from billing.memory import MemoryLedger
from billing.ports import Ledger
from billing.retention import prune_answers
from tests.charges import make_charge, make_poison
from tests.integration.billing.conftest import MakeCappedKey

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@dataclass
class World:
    """A ledger, and what its port does not offer."""

    ledger: Ledger
    make_account: Callable[[str], Awaitable[uuid.UUID]]
    expire_answers: Callable[[], Awaitable[object]]
    make_capped_key: Callable[[uuid.UUID, str], Awaitable[str]]
    """A key of the account that may spend so much in all."""


def _memory_world() -> World:
    ledger = MemoryLedger()

    async def make_account(credits_granted: str) -> uuid.UUID:
        account_id = uuid.uuid4()
        ledger.grant(account_id, Credits.parse(credits_granted))
        return account_id

    async def expire_answers() -> None:
        ledger.expire_answers()

    async def make_capped_key(_account_id: uuid.UUID, cap: str) -> str:
        key_id = uuid.uuid4().hex
        ledger.cap(key_id, Credits.parse(cap))
        return key_id

    return World(ledger, make_account, expire_answers, make_capped_key)


def _postgres_world(request: pytest.FixtureRequest) -> World:
    database: Database = request.getfixturevalue("database")
    make_capped_key: MakeCappedKey = request.getfixturevalue("make_capped_key")
    return World(
        PostgresLedger(database),
        request.getfixturevalue("make_account"),
        lambda: prune_answers(database, timedelta(0)),
        lambda account_id, cap: make_capped_key(account_id, "total", cap),
    )


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    return _memory_world() if request.param == "memory" else _postgres_world(request)


async def test_charge_takes_credits_and_tells_what_is_left(world: World) -> None:
    account = await world.make_account("3")
    charge = make_charge(account, "0.25")
    assert await world.ledger.charge([charge]) == [Charged(charge.charge_id, Credits.parse("2.75"))]
    assert await world.ledger.fetch_balance(account) == Credits.parse("2.75")


async def test_nothing_to_charge_ends_at_once(world: World) -> None:
    assert await world.ledger.charge([]) == []


async def test_balance_runs_along_the_batch_in_the_order_given(world: World) -> None:
    account = await world.make_account("10")
    other = await world.make_account("10")
    batch = [make_charge(account, "1"), make_charge(other, "5"), make_charge(account, "2")]
    outcomes = await world.ledger.charge(batch)
    assert outcomes == [
        Charged(batch[0].charge_id, Credits.parse("9")),
        Charged(batch[1].charge_id, Credits.parse("5")),
        Charged(batch[2].charge_id, Credits.parse("7")),
    ]


async def test_same_key_twice_charges_once(world: World) -> None:
    account = await world.make_account("3")
    charge = make_charge(account, predictions=b"[0.75]")
    await world.ledger.charge([charge])
    answer = StoredAnswer(charge.charge_id, "malware", "1", b"[0.75]", Credits.parse("1"))
    assert await world.ledger.charge([charge]) == [Replayed(answer, Credits.parse("2"))]
    assert await world.ledger.fetch_balance(account) == Credits.parse("2")


async def test_same_key_twice_in_one_batch_charges_once(world: World) -> None:
    account = await world.make_account("3")
    charge = make_charge(account)
    other_body = make_charge(account, charge_id=charge.charge_id, body=b"other")
    first, second, third = await world.ledger.charge([charge, charge, other_body])
    assert isinstance(first, Charged)
    assert isinstance(second, Replayed)
    assert third == KeyConflict(charge.charge_id)
    assert await world.ledger.fetch_balance(account) == Credits.parse("2")


async def test_same_key_with_another_body_is_refused(world: World) -> None:
    account = await world.make_account("3")
    charge = make_charge(account)
    await world.ledger.charge([charge])
    other_body = make_charge(account, charge_id=charge.charge_id, body=b"other")
    assert await world.ledger.charge([other_body]) == [KeyConflict(charge.charge_id)]
    assert await world.ledger.fetch_balance(account) == Credits.parse("2")


async def test_paid_key_is_replayed_after_the_account_ran_dry(world: World) -> None:
    account = await world.make_account("1")
    charge = make_charge(account)
    await world.ledger.charge([charge])
    [again] = await world.ledger.charge([charge])
    assert isinstance(again, Replayed)
    assert again.balance == ZERO


async def test_paid_key_takes_nothing_from_the_others_of_its_batch(world: World) -> None:
    account = await world.make_account("2")
    paid = make_charge(account)
    await world.ledger.charge([paid])
    again, new = await world.ledger.charge([paid, make_charge(account)])
    assert isinstance(again, Replayed)
    assert isinstance(new, Charged)


async def test_refusal_tells_what_was_required_and_available(world: World) -> None:
    account = await world.make_account("1.5")
    charge = make_charge(account, "2")
    assert await world.ledger.charge([charge]) == [
        InsufficientCredits(charge.charge_id, Credits.parse("2"), Credits.parse("1.5"))
    ]
    assert await world.ledger.find_earlier(account, charge.charge_id, None) is None


async def test_what_does_not_fit_is_skipped_and_smaller_ones_are_charged(world: World) -> None:
    account = await world.make_account("3")
    batch = [make_charge(account, amount) for amount in ("2", "5", "1", "0.1")]
    outcomes = await world.ledger.charge(batch)
    assert [type(outcome) for outcome in outcomes] == [
        Charged,
        InsufficientCredits,
        Charged,
        InsufficientCredits,
    ]


async def test_refused_key_can_be_charged_later(world: World) -> None:
    account = await world.make_account("1")
    too_much = make_charge(account, "2")
    [refused] = await world.ledger.charge([too_much])
    affordable = make_charge(account, "1", charge_id=too_much.charge_id)
    [charged] = await world.ledger.charge([affordable])
    assert isinstance(refused, InsufficientCredits)
    assert isinstance(charged, Charged)


async def test_broke_account_does_not_harm_the_others_of_its_batch(world: World) -> None:
    broke = await world.make_account("0.5")
    rich = await world.make_account("10")
    first, second = await world.ledger.charge([make_charge(broke), make_charge(rich)])
    assert isinstance(first, InsufficientCredits)
    assert isinstance(second, Charged)


async def test_unknown_account_has_nothing(world: World) -> None:
    nobody = uuid.uuid4()
    for amount in ("1", "0"):
        charge = make_charge(nobody, amount)
        assert await world.ledger.charge([charge]) == [
            InsufficientCredits(charge.charge_id, charge.amount, ZERO)
        ]
    assert await world.ledger.fetch_balance(nobody) == ZERO


async def test_free_prediction_is_recorded(world: World) -> None:
    account = await world.make_account("1")
    charge = make_charge(account, "0")
    assert await world.ledger.charge([charge]) == [Charged(charge.charge_id, Credits.parse("1"))]
    assert isinstance(await world.ledger.find_earlier(account, charge.charge_id, None), Replayed)


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_poisonous_charge_is_refused_alone(world: World, place: int) -> None:
    account = await world.make_account("7")
    batch = [make_charge(account) for _ in range(6)]
    batch.insert(place, make_poison(account))
    outcomes = await world.ledger.charge(batch)
    assert outcomes.pop(place) == ChargeRejected(batch[place].charge_id)
    assert all(isinstance(outcome, Charged) for outcome in outcomes)
    assert await world.ledger.fetch_balance(account) == Credits.parse("1")


async def test_poisonous_charge_takes_nothing_from_those_behind_it(world: World) -> None:
    account = await world.make_account("1")
    rejected, charged = await world.ledger.charge([make_poison(account), make_charge(account)])
    assert isinstance(rejected, ChargeRejected)
    assert isinstance(charged, Charged)


@pytest.mark.parametrize(
    "fault",
    [
        {"instances": 2**31},
        {"amount": -Credits.parse("1")},
        {"body_sha256": b"short"},
        {"key_id": "nul\0"},
        {"model": "lone surrogate \ud800"},
    ],
    ids=lambda fault: next(iter(fault)),
)
async def test_each_fault_that_the_tables_refuse_is_rejected(
    world: World, fault: dict[str, object]
) -> None:
    account = await world.make_account("2")
    faulty = make_charge(account)._replace(**fault)
    rejected, charged = await world.ledger.charge([faulty, make_charge(account)])
    assert rejected == ChargeRejected(faulty.charge_id)
    assert isinstance(charged, Charged)
    assert await world.ledger.fetch_balance(account) == Credits.parse("1")


async def test_paid_key_is_replayed_to_a_charge_that_would_be_rejected(world: World) -> None:
    account = await world.make_account("2")
    charge = make_charge(account)
    await world.ledger.charge([charge])
    [again] = await world.ledger.charge([charge._replace(instances=0)])
    assert isinstance(again, Replayed)


async def test_expired_answer_stays_paid(world: World) -> None:
    account = await world.make_account("2")
    charge = make_charge(account)
    other_body = make_charge(account, charge_id=charge.charge_id, body=b"other")
    await world.ledger.charge([charge])
    await world.expire_answers()
    assert await world.ledger.charge([charge, other_body]) == [
        AnswerExpired(charge.charge_id),
        KeyConflict(charge.charge_id),
    ]
    assert await world.ledger.fetch_balance(account) == Credits.parse("1")


async def test_look_up_finds_what_was_paid(world: World) -> None:
    account = await world.make_account("2")
    charge = make_charge(account)
    find = world.ledger.find_earlier
    assert await find(account, charge.charge_id, charge.body_sha256) is None
    await world.ledger.charge([charge])
    assert isinstance(await find(account, charge.charge_id, charge.body_sha256), Replayed)
    assert isinstance(await find(account, charge.charge_id, None), Replayed)
    assert await find(account, charge.charge_id, b"o" * 32) == KeyConflict(charge.charge_id)


async def test_another_accounts_charge_cannot_be_seen(world: World) -> None:
    owner = await world.make_account("2")
    stranger = await world.make_account("2")
    charge = make_charge(owner)
    await world.ledger.charge([charge])
    stolen = make_charge(stranger, charge_id=charge.charge_id)
    assert await world.ledger.find_earlier(stranger, charge.charge_id, None) is None
    assert await world.ledger.charge([stolen]) == [ChargeRejected(charge.charge_id)]
    assert await world.ledger.fetch_balance(stranger) == Credits.parse("2")


async def test_capped_key_spends_up_to_its_cap_and_no_more(world: World) -> None:
    account = await world.make_account("9")
    key = await world.make_capped_key(account, "2.5")
    batch = [make_charge(account, amount, key_id=key) for amount in ("2", "1", "0.5", "0.1", "0")]
    outcomes = await world.ledger.charge(batch)
    assert outcomes == [
        Charged(batch[0].charge_id, Credits.parse("7")),
        SpendingCapReached(batch[1].charge_id, Credits.parse("1"), Credits.parse("0.5")),
        Charged(batch[2].charge_id, Credits.parse("6.5")),
        SpendingCapReached(batch[3].charge_id, Credits.parse("0.1"), ZERO),
        Charged(batch[4].charge_id, Credits.parse("6.5")),
    ]
    [again] = await world.ledger.charge([make_charge(account, "0.1", key_id=key)])
    assert isinstance(again, SpendingCapReached)


async def test_capped_key_keeps_nobody_from_being_charged(world: World) -> None:
    account, other = await world.make_account("9"), await world.make_account("9")
    key = await world.make_capped_key(account, "0")
    batch = [
        make_charge(account, key_id=key),
        make_charge(account),
        make_charge(other),
        make_charge(account, key_id=key),
    ]
    outcomes = await world.ledger.charge(batch)
    refused = [isinstance(outcome, SpendingCapReached) for outcome in outcomes]
    assert refused == [True, False, False, True]
    assert await world.ledger.fetch_balance(account) == Credits.parse("8")


async def test_paid_key_is_replayed_after_its_cap_was_reached(world: World) -> None:
    account = await world.make_account("9")
    key = await world.make_capped_key(account, "1")
    charge = make_charge(account, key_id=key)
    await world.ledger.charge([charge])
    again, new = await world.ledger.charge([charge, make_charge(account, key_id=key)])
    assert isinstance(again, Replayed)
    assert isinstance(new, SpendingCapReached)


async def test_account_without_credits_is_told_so_before_its_cap(world: World) -> None:
    account = await world.make_account("0")
    key = await world.make_capped_key(account, "0")
    [outcome] = await world.ledger.charge([make_charge(account, key_id=key)])
    assert isinstance(outcome, InsufficientCredits)


async def test_rejected_charge_spends_nothing_of_its_cap(world: World) -> None:
    account = await world.make_account("9")
    key = await world.make_capped_key(account, "1")
    poison = make_poison(account)._replace(key_id=key)
    rejected, charged = await world.ledger.charge([poison, make_charge(account, key_id=key)])
    assert isinstance(rejected, ChargeRejected)
    assert isinstance(charged, Charged)


async def test_rows_are_found_beside_their_answer(world: World) -> None:
    account = await world.make_account("3")
    charge = make_charge(account, "0.25", predictions=b"[0.75]")
    assert await world.ledger.find_rows(account, charge.charge_id) is None
    await world.ledger.charge([charge])
    answer = StoredAnswer(charge.charge_id, "malware", "1", b"[0.75]", Credits.parse("0.25"))
    expected = StoredRows(answer, charge.inputs)
    assert await world.ledger.find_rows(account, charge.charge_id) == expected


async def test_rows_of_another_account_are_not_found(world: World) -> None:
    account, other = await world.make_account("3"), await world.make_account("3")
    charge = make_charge(account)
    await world.ledger.charge([charge])
    assert await world.ledger.find_rows(other, charge.charge_id) is None


async def test_rows_are_pruned_with_their_answer(world: World) -> None:
    account = await world.make_account("3")
    charge = make_charge(account)
    await world.ledger.charge([charge])
    await world.expire_answers()
    found = await world.ledger.find_rows(account, charge.charge_id)
    assert found == AnswerExpired(charge.charge_id)
