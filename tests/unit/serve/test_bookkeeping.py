"""Chores come back, whatever happens to them, until they are stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from billing.errors import LedgerUnavailable
from serve.accounts.bookkeeping import Bookkeeping, Chore

pytestmark = pytest.mark.anyio

LONG = 3600.0


class Runs:
    """Counts runs; each does what `steps` says, the last one for ever."""

    def __init__(self, *steps: Callable[[], Awaitable[bool]]) -> None:
        self.count = 0
        self.steps = steps

    async def __call__(self) -> bool:
        step = self.steps[min(self.count, len(self.steps) - 1)]
        self.count += 1
        return await step()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(5):
            while self.count < count:
                await asyncio.sleep(0.001)


async def done() -> bool:
    return False


async def more() -> bool:
    return True


def fail_with(error: BaseException) -> Callable[[], Awaitable[bool]]:
    async def fail() -> bool:
        raise error

    return fail


async def test_chore_comes_back_after_its_pause() -> None:
    runs = Runs(done)
    bookkeeping = Bookkeeping([Chore("often", 0.001, runs)])
    bookkeeping.start()
    await runs.wait_for(3)
    await bookkeeping.stop()


async def test_more_waiting_is_done_at_once() -> None:
    runs = Runs(more, more, done)
    bookkeeping = Bookkeeping([Chore("rare", LONG, runs)])
    bookkeeping.start()
    await runs.wait_for(3)
    await asyncio.sleep(0.02)
    await bookkeeping.stop()
    assert runs.count == 3


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (ValueError("broken"), "chore_failed"),
        (LedgerUnavailable("gone"), "chore_put_off"),
        (asyncio.CancelledError(), "chore_failed"),
    ],
)
async def test_failing_chore_is_logged_and_tried_again(error: BaseException, event: str) -> None:
    runs = Runs(fail_with(error), done)
    bookkeeping = Bookkeeping([Chore("frail", 0.001, runs)])
    with capture_logs() as logs:
        bookkeeping.start()
        await runs.wait_for(2)
        await bookkeeping.stop()
    assert [(log["event"], log["chore"]) for log in logs] == [(event, "frail")]


async def test_failing_chore_waits_for_its_pause() -> None:
    runs = Runs(fail_with(ValueError("broken")))
    bookkeeping = Bookkeeping([Chore("frail", LONG, runs)])
    with capture_logs():
        bookkeeping.start()
        await runs.wait_for(1)
        await asyncio.sleep(0.02)
        await bookkeeping.stop()
    assert runs.count == 1


async def test_failing_chore_keeps_no_other_from_running() -> None:
    frail, sound = Runs(fail_with(ValueError("broken"))), Runs(done)
    bookkeeping = Bookkeeping([Chore("frail", 0.001, frail), Chore("sound", 0.001, sound)])
    with capture_logs():
        bookkeeping.start()
        await sound.wait_for(5)
        await bookkeeping.stop()


async def test_stop_cancels_and_waits_for_the_end() -> None:
    ended = False

    async def work() -> bool:
        nonlocal ended
        try:
            await asyncio.sleep(LONG)
        finally:
            await asyncio.sleep(0.01)
            ended = True
        return False

    runs = Runs(work)
    bookkeeping = Bookkeeping([Chore("long", 0, runs)])
    bookkeeping.start()
    await runs.wait_for(1)
    await bookkeeping.stop()
    assert ended
    assert runs.count == 1


async def test_stop_that_is_cancelled_says_so() -> None:
    async def cling() -> bool:
        try:
            await asyncio.sleep(LONG)
        finally:
            await asyncio.sleep(0.05)
        return False

    runs = Runs(cling)
    bookkeeping = Bookkeeping([Chore("clinging", 0, runs)])
    bookkeeping.start()
    await runs.wait_for(1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await bookkeeping.stop()
    await bookkeeping.stop()


async def test_stop_without_a_start_is_nothing() -> None:
    await Bookkeeping([Chore("idle", 1, done)]).stop()
