"""Readiness is asked of everything behind a replica, at most once a second."""

from __future__ import annotations

import asyncio

import pytest

from billing.errors import LedgerUnavailable
from billing.memory import MemoryLedger
from serve.readiness import Readiness
from serve.refusals import Code, Refusal
from tests.support.serving import GatedScorer, MemoryCashier, Models, turns

pytestmark = pytest.mark.anyio


class World:
    """A readiness over a scorer, a cashier and a clock that stands still."""

    def __init__(self, models: Models) -> None:
        self.scorer = GatedScorer(models.pool)
        self.cashier = MemoryCashier(MemoryLedger())
        self.seconds = 1000.0
        self.readiness = Readiness(self.scorer, self.cashier, lambda: self.seconds)

    @property
    def checks(self) -> tuple[int, int]:
        return self.scorer.ready_checks, self.cashier.ready_checks

    async def refusal(self) -> Code | None:
        try:
            await self.readiness.check()
        except Refusal as refusal:
            return refusal.code
        return None


@pytest.fixture
async def world(models: Models) -> World:
    return World(models)


async def test_it_is_ready_when_scorer_and_cashier_are(world: World) -> None:
    assert await world.refusal() is None
    assert world.checks == (1, 1)


async def test_it_asks_at_most_once_a_second(world: World) -> None:
    for _ in range(5):
        await world.readiness.check()
        world.seconds += 0.19
    assert world.checks == (1, 1)
    world.seconds += 0.1
    await world.readiness.check()
    assert world.checks == (2, 2)


async def test_callers_at_the_same_time_share_one_check(world: World) -> None:
    world.scorer.gate.clear()
    asking = [asyncio.create_task(world.refusal()) for _ in range(10)]
    await turns()
    world.scorer.gate.set()
    assert await asyncio.gather(*asking) == [None] * 10
    assert world.checks == (1, 1)


async def test_a_lost_ledger_is_named_and_remembered_for_a_second(world: World) -> None:
    world.cashier.failure = LedgerUnavailable("gone")
    assert await world.refusal() is Code.LEDGER_UNAVAILABLE
    world.cashier.failure = None
    assert await world.refusal() is Code.LEDGER_UNAVAILABLE
    assert world.checks == (1, 1)
    world.seconds += 1
    assert await world.refusal() is None


async def test_a_lost_scorer_is_named(world: World) -> None:
    world.scorer.failure = Refusal(Code.SCORER_UNAVAILABLE, "gone")
    assert await world.refusal() is Code.SCORER_UNAVAILABLE


async def test_a_caller_that_goes_away_leaves_the_next_one_a_check(world: World) -> None:
    world.scorer.gate.clear()
    gone = asyncio.create_task(world.readiness.check())
    await turns()
    gone.cancel()
    await asyncio.wait([gone])
    world.scorer.gate.set()
    assert await world.refusal() is None
    assert world.checks[0] == 2
