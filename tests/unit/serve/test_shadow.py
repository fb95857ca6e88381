"""Challengers score what champions answered: compared exactly, bounded, never in anybody's way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from billing.reports.shadows import Differences, ShadowPair
from models.rollout import Rollout
from models.rollout_file import write_rollout
from serve.refusals import Code, Refusal
from serve.served_models import Shadow
from serve.shadow import BATCHES_WAITING_MAX, compare
from tests.support.fragile_model import NAME, write_fragile_model
from tests.support.serving import POISON_ROW, Models, Replica, make_body, make_replica, turns

pytestmark = pytest.mark.anyio

PAIR = ShadowPair(NAME, "1", "2")
SMS, PLAIN = ["SEND_SMS"], ["INTERNET"]


@pytest.fixture
def shadowed(tmp_path: Path) -> Replica:
    """Version 2 is in the shadow of version 1; it calls SEND_SMS goodware (0.475 to 0.731)."""
    write_fragile_model(tmp_path)
    write_fragile_model(tmp_path, "2", send_sms=0.9)
    write_rollout(tmp_path / NAME, Rollout("1", "2", shadow=True))
    return make_replica(Models.load(tmp_path))


async def compared(replica: Replica) -> Differences:
    """All that was found once everything offered is compared."""
    comparing = asyncio.create_task(replica.shadow.keep_comparing())
    await turns(50)
    comparing.cancel()
    await asyncio.wait([comparing])
    total = Differences()
    for pair, found in replica.seen.shadows:
        assert pair == PAIR
        total += found
    return total


def shadow_of(champion: float = 0.5, challenger: float = 0.5) -> Shadow:
    return Shadow(PAIR, champion, challenger)


async def test_the_same_rows_are_compared_and_the_answer_is_the_champions(
    shadowed: Replica,
) -> None:
    answer = await shadowed.score(make_body(SMS, PLAIN, SMS))
    assert answer.stored.version == "1"
    found = await compared(shadowed)
    assert (found.instances, found.disagreements, found.failed) == (3, 2, 0)
    assert found.difference_max == pytest.approx(0.7310586 - 0.4750208, abs=1e-6)
    assert found.difference_mean == pytest.approx(found.difference_max * 2 / 3)


async def test_nothing_of_it_is_charged(shadowed: Replica) -> None:
    await shadowed.score(make_body(SMS, PLAIN))
    await compared(shadowed)
    assert [(charge.version, charge.instances) for charge in shadowed.charged] == [("1", 2)]
    assert await shadowed.balance() == "98"


async def test_drift_does_not_count_them(shadowed: Replica) -> None:
    await shadowed.score(make_body(SMS, PLAIN))
    await compared(shadowed)
    assert (shadowed.scorer.rows, shadowed.scorer.shadowed) == ([2], [2])


async def test_packed_answers_are_compared_too(shadowed: Replica) -> None:
    await shadowed.score(make_body(*[SMS] * 40))
    assert (await compared(shadowed)).disagreements == 40


async def test_the_answer_does_not_wait_for_the_shadow(shadowed: Replica) -> None:
    comparing = asyncio.create_task(shadowed.shadow.keep_comparing())
    await shadowed.score()
    shadowed.scorer.gate.clear()
    await turns()
    assert shadowed.seen.shadows == []
    comparing.cancel()
    await asyncio.wait([comparing])


async def test_past_the_bound_batches_are_left_out_and_counted(shadowed: Replica) -> None:
    for _ in range(BATCHES_WAITING_MAX + 3):
        await shadowed.score(make_body(SMS, SMS))
    found = await compared(shadowed)
    assert (found.instances, found.dropped) == (2 * BATCHES_WAITING_MAX, 2 * 3)


async def test_a_challenger_out_of_reach_is_counted_and_the_next_batch_is_compared(
    shadowed: Replica,
) -> None:
    await shadowed.score(make_body(SMS))
    shadowed.scorer.failure = Refusal(Code.MODEL_UNAVAILABLE, "broken")
    assert await compared(shadowed) == Differences(failed=1)
    shadowed.scorer.failure = None
    await shadowed.score(make_body(SMS))
    assert (await compared(shadowed)).instances == 1


async def test_a_version_that_was_named_has_no_shadow_unless_it_is_the_champion(
    shadowed: Replica,
) -> None:
    await shadowed.score(make_body(SMS, version="2"))
    assert (await compared(shadowed)).instances == 0
    await shadowed.score(make_body(SMS, version="1"))
    assert (await compared(shadowed)).instances == 1


async def test_rows_that_were_not_answered_are_not_compared(shadowed: Replica) -> None:
    with pytest.raises(Refusal):
        await shadowed.score(make_body(POISON_ROW))
    assert await compared(shadowed) == Differences()


def test_differences_fall_into_their_buckets() -> None:
    champion = np.zeros(9)
    challenger = np.array([0, 0.0009, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.9])
    found = compare(shadow_of(), champion, challenger)
    assert found.histogram == (2, 1, 1, 1, 1, 1, 1, 1)
    assert found.difference_max == 0.9
    assert found.disagreements == 1


def test_each_labels_by_its_own_threshold() -> None:
    champion, challenger = np.array([0.6, 0.6]), np.array([0.6, 0.3])
    assert compare(shadow_of(0.5, 0.2), champion, challenger).disagreements == 0
    assert compare(shadow_of(0.5, 0.7), champion, challenger).disagreements == 2


def test_rows_without_a_probability_are_counted_and_left_out() -> None:
    found = compare(shadow_of(), np.array([0.5, 0.5]), np.array([np.nan, 0.25]))
    assert (found.instances, found.failed, found.difference_sum) == (1, 1, 0.25)
    nothing = compare(shadow_of(), np.array([0.5]), np.array([np.nan]))
    assert nothing == Differences(failed=1)
