"""A stored answer by its id, for the account that paid it."""

from __future__ import annotations

import uuid

import pytest

from billing.api_keys.values import ALL_SCOPES
from billing.charges import make_charge_id
from billing.principal import Principal
from serve.pipeline import ROUTE, find_answer
from serve.refusals import Code, Refusal
from tests.support.serving import ANNA, BORIS, Replica

pytestmark = pytest.mark.anyio


def principal(account_id: uuid.UUID) -> Principal:
    return Principal(account_id, "name", "key", ALL_SCOPES)


async def test_a_stored_answer_is_found_by_its_id(replica: Replica) -> None:
    paid = await replica.score(key="k")
    assert paid.stored.charge_id == make_charge_id(ANNA, ROUTE, "k")
    found = await find_answer(replica.ledger, principal(ANNA), paid.stored.charge_id)
    assert found.stored == paid.stored
    assert str(found.balance) == "99"


async def test_only_the_account_itself_finds_its_answer(replica: Replica) -> None:
    paid = await replica.score()
    with pytest.raises(Refusal) as caught:
        await find_answer(replica.ledger, principal(BORIS), paid.stored.charge_id)
    assert caught.value.code is Code.PREDICTION_NOT_FOUND


async def test_a_pruned_answer_is_found_as_expired(replica: Replica) -> None:
    paid = await replica.score()
    replica.ledger.expire_answers()
    with pytest.raises(Refusal) as caught:
        await find_answer(replica.ledger, principal(ANNA), paid.stored.charge_id)
    assert caught.value.code is Code.ANSWER_EXPIRED
