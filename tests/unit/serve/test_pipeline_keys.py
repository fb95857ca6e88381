"""What a key may do and spend, in the story of a request."""

from __future__ import annotations

import pytest

from billing.api_keys.values import Scope
from billing.credits import Credits
from serve.refusals import Code, Refusal
from tests.support.serving import ANNA, BORIS, Replica, make_key

pytestmark = pytest.mark.anyio


async def refused(replica: Replica, **named: str | None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await replica.score(**named)  # type: ignore[arg-type]
    return caught.value


async def test_a_key_at_its_cap_is_refused_and_others_of_the_account_are_not(
    replica: Replica,
) -> None:
    replica.ledger.cap(make_key(ANNA.int).id, Credits.parse("1.5"))
    paid = await replica.score(key="k")
    refusal = await refused(replica)
    assert refusal.code is Code.SPENDING_CAP_REACHED
    assert refusal.members == {"required": "1", "left": "0.5"}
    assert (await replica.score(key="k")).stored == paid.stored
    await replica.score(authorization=replica.boris)
    assert (await replica.balance(ANNA), await replica.balance(BORIS)) == ("99", "99")


async def test_a_cap_just_seen_refuses_before_any_hop(replica: Replica) -> None:
    replica.ledger.cap(make_key(ANNA.int).id, Credits(0))
    for _ in range(3):
        assert (await refused(replica)).code is Code.SPENDING_CAP_REACHED
    assert replica.scorer.rows == [1]
    assert len(replica.cashier.batches) == 1


async def test_a_key_that_may_only_read_cannot_score(replica: Replica) -> None:
    reading = replica.accounts.open_account(ANNA, frozenset({Scope.READ}))
    refusal = await refused(replica, key="k", authorization=reading)
    assert refusal.code is Code.SCOPE_MISSING
    assert replica.scorer.rows == []
    assert replica.used_keys == set()


async def test_used_keys_are_noted(replica: Replica) -> None:
    for _ in range(2):
        await replica.score()
    assert replica.used_keys == {make_key(ANNA.int).id}
