"""Many ask how replicas stand; the controller is asked once, and waited for so long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from serve.accounts.replicas.values import ApplicationState, ControllerUnavailable
from serve.accounts.replicas.watch import FRESH_SECONDS, ReplicaWatch
from serve.refusals import Code, Refusal

pytestmark = pytest.mark.anyio


class Controller:
    """Counts questions; answers when it is let, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.answers = threading.Event()
        self.answers.set()
        self.seconds = 0.0

    def read(self) -> Sequence[ApplicationState]:
        self.asked += 1
        self.answers.wait(10)
        if self.fails:
            raise ControllerUnavailable("down")
        return [ApplicationState(f"answer {self.asked}", "RUNNING", "", ())]

    def watch(self, timeout_seconds: float = 5) -> ReplicaWatch:
        return ReplicaWatch(self.read, timeout_seconds=timeout_seconds, clock=lambda: self.seconds)


async def name_seen(watch: ReplicaWatch) -> str:
    return (await watch.fetch()).applications[0].name


async def test_an_answer_is_given_again_until_it_is_old() -> None:
    controller = Controller()
    watch = controller.watch()
    assert await name_seen(watch) == "answer 1"
    controller.seconds += FRESH_SECONDS - 0.1
    assert await name_seen(watch) == "answer 1"
    controller.seconds += 0.2
    assert await name_seen(watch) == "answer 2"


async def test_who_asks_at_once_shares_one_question() -> None:
    controller = Controller()
    watch = controller.watch()
    assert set(await asyncio.gather(*(name_seen(watch) for _ in range(20)))) == {"answer 1"}


async def test_a_controller_that_does_not_answer_is_refused_in_time_and_asked_once() -> None:
    controller = Controller()
    watch = controller.watch(timeout_seconds=0.05)
    controller.answers.clear()
    for _ in range(3):
        with pytest.raises(Refusal) as refused:
            await watch.fetch()
        assert refused.value.code is Code.CONTROLLER_UNAVAILABLE
    assert controller.asked == 1
    controller.answers.set()
    async with asyncio.timeout(5):
        while watch._reading is not None:
            await asyncio.sleep(0.001)
    assert await name_seen(watch) == "answer 1"


async def test_a_failure_is_refused_and_not_remembered() -> None:
    controller = Controller()
    watch = controller.watch()
    controller.fails = True
    with pytest.raises(Refusal) as refused:
        await watch.fetch()
    assert refused.value.code is Code.CONTROLLER_UNAVAILABLE
    controller.fails = False
    assert await name_seen(watch) == "answer 2"


async def test_an_asker_who_goes_does_not_end_the_others_question() -> None:
    controller = Controller()
    watch = controller.watch()
    controller.answers.clear()
    gone, stays = asyncio.create_task(watch.fetch()), asyncio.create_task(watch.fetch())
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0)
    controller.answers.set()
    assert (await stays).applications[0].name == "answer 1"
    assert gone.cancelled()
