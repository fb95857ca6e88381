"""Requests before, during and after a change of who answers: version, price, replay, refusal."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.credits import Credits
from billing.prices import Price, PriceTable
from models.registry import read_catalog
from models.rollout import Rollout
from models.rollout_file import write_rollout
from serve.pricing import Pricing
from serve.refusals import Code, Refusal
from tests.support.asgi import call
from tests.support.fragile_model import NAME, write_fragile_model
from tests.support.serving import ANNA, BORIS, Models, Replica, make_body, make_replica, turns

pytestmark = pytest.mark.anyio

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
EVERYONE = Rollout("1", "2", 100)


class Swapped:
    """A replica over a folder with two versions; version 2 costs 3 credits an instance."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write_fragile_model(root)
        write_fragile_model(root, "2", send_sms=3)
        write_rollout(root / NAME, Rollout("1"))
        self.replica = make_replica(Models.load(root))
        prices = PriceTable(
            (
                Price(None, None, Credits.parse("1"), LONG_AGO),
                Price(NAME, "2", Credits.parse("3"), LONG_AGO),
            )
        )
        self.replica.pipeline.pricing = Pricing(self.replica.accounts, prices)

    def swap(self, rollout: Rollout) -> None:
        write_rollout(self.root / NAME, rollout)
        self.replica.pipeline.models.take(read_catalog(self.root))

    async def answered(self, **named: str) -> tuple[str, float]:
        """The version that answers and its probability."""
        stored = (await self.replica.score(make_body(**named))).stored
        [prediction] = json.loads(stored.predictions)
        return stored.version, round(prediction["probability"], 2)

    async def refused(self, **named: str) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.replica.score(make_body(**named))
        return caught.value


@pytest.fixture
def swapped(tmp_path: Path) -> Swapped:
    return Swapped(tmp_path)


async def test_a_promoted_version_answers_the_next_request_at_its_own_price(
    swapped: Swapped,
) -> None:
    assert await swapped.answered() == ("1", 0.73)
    swapped.swap(Rollout("2"))
    assert await swapped.answered() == ("2", 0.88)
    assert await swapped.replica.balance() == "96"


async def test_a_request_under_way_is_answered_by_the_version_it_was_admitted_for(
    swapped: Swapped,
) -> None:
    swapped.replica.scorer.gate.clear()
    under_way, waiting = (asyncio.create_task(swapped.answered()) for _ in range(2))
    await turns()
    swapped.swap(Rollout("2", retired=("1",)))
    swapped.replica.scorer.gate.set()
    assert await under_way == await waiting == ("1", 0.73)
    assert await swapped.replica.balance() == "98"


async def test_a_canary_answers_its_accounts_and_is_paid_its_price(swapped: Swapped) -> None:
    replica = swapped.replica
    for percent in range(1, 101):
        swapped.swap(Rollout("1", "2", percent))
        taken = {
            account
            for account in (ANNA, BORIS)
            if replica.pipeline.models.canaries[NAME].takes(account)
        }
        if len(taken) == 1:
            break
    [inside] = taken
    by_account = {ANNA: replica.anna, BORIS: replica.boris}
    for account, authorization in by_account.items():
        answer = await replica.score(authorization=authorization)
        assert answer.stored.version == ("2" if account == inside else "1")
        assert await replica.balance(account) == ("97" if account == inside else "99")


async def test_a_named_version_is_taken_as_asked(swapped: Swapped) -> None:
    swapped.swap(EVERYONE)
    assert await swapped.answered(version="1") == ("1", 0.73)


async def test_a_retired_version_is_refused_and_says_what_to_use(swapped: Swapped) -> None:
    swapped.swap(Rollout("2", retired=("1",)))
    refusal = await swapped.refused(version="1")
    assert refusal.code is Code.VERSION_RETIRED
    assert "there is: 2. Name one of these, or leave the version out" in refusal.detail
    assert swapped.replica.charged == []


async def test_a_retry_after_a_swap_replays_the_old_answer(swapped: Swapped) -> None:
    first = await swapped.replica.score(key="order-1")
    swapped.swap(Rollout("2"))
    again = await swapped.replica.score(key="order-1")
    assert again.replayed
    assert again.stored == first.stored
    assert again.stored.version == "1"
    assert await swapped.replica.balance() == "99"


async def test_a_retry_of_a_version_retired_since_replays_the_old_answer(swapped: Swapped) -> None:
    body = make_body(version="1")
    first = await swapped.replica.score(body, key="order-1")
    swapped.swap(Rollout("2", retired=("1",)))
    assert (await swapped.replica.score(body, key="order-1")).stored == first.stored


async def test_a_version_that_cannot_be_loaded_charges_nothing_and_replays_what_was_paid(
    swapped: Swapped,
) -> None:
    first = await swapped.replica.score(key="order-1")
    swapped.replica.scorer.failure = Refusal(Code.MODEL_UNAVAILABLE, "broken")
    assert (await swapped.refused()).code is Code.MODEL_UNAVAILABLE
    assert (await swapped.replica.score(key="order-1")).stored == first.stored
    assert await swapped.replica.balance() == "99"


async def test_answers_are_counted_by_the_version_that_gave_them(swapped: Swapped) -> None:
    await swapped.answered()
    swapped.swap(Rollout("2"))
    for _ in range(2):
        await swapped.answered()
    assert swapped.replica.seen.answers == {(NAME, "1"): 1, (NAME, "2"): 2}


async def test_the_list_of_models_tells_who_is_what(swapped: Swapped) -> None:
    swapped.swap(Rollout("1", "2", 30, shadow=True))
    assert await listed(swapped.replica) == {
        "1": (True, "champion", 0, False, "1"),
        "2": (False, "challenger", 30, True, "3"),
    }
    swapped.swap(Rollout("2", retired=("1",)))
    assert await listed(swapped.replica) == {"2": (True, "champion", 0, False, "3")}


async def listed(replica: Replica) -> dict[str, tuple[object, ...]]:
    members = ("default", "alias", "canary_percent", "shadow", "price_per_instance")
    reply = await call(replica.app, "/v1/models")
    cards = json.loads(reply.body)["models"]
    return {card["version"]: tuple(card[name] for name in members) for card in cards}
