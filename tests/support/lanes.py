"""A replica behind a lane that answers each call when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from serve.lanes import Lane, LaneAddress, LaneServer

HOST = "127.0.0.1"
SECONDS_MAX = 10


class Replica:
    """A replica that answers each call backwards, at once or when a test says so."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.waiting: dict[bytes, asyncio.Future[None]] = {}
        self.waits = False
        self.server = LaneServer(self.take)
        self.address: LaneAddress

    async def take(self, content: bytes) -> bytes:
        self.asked.append(content)
        if self.waits:
            self.waiting[content] = asyncio.get_running_loop().create_future()
            await self.waiting[content]
        return content[::-1]

    def let(self, content: bytes, error: Exception | None = None) -> None:
        """Answer one call, or fail on it."""
        waiting = self.waiting.pop(content)
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)


async def start_replica() -> Replica:
    """One that listens."""
    replica = Replica()
    replica.address = await replica.server.start(HOST)
    return replica


async def end(replica: Replica) -> None:
    """Answer what is left and close."""
    for content in list(replica.waiting):
        replica.let(content)
    await replica.server.close()
    await asyncio.sleep(0)


async def until(holds: Callable[[], object]) -> None:
    """Return when it holds; TimeoutError if it never does."""
    async with asyncio.timeout(SECONDS_MAX):
        while not holds():
            await asyncio.sleep(0.001)


async def calling(lane: Lane, replica: Replica, *contents: bytes) -> list[asyncio.Task[bytes]]:
    """The calls as tasks, once the replica has them."""
    replica.waits = True
    tasks = [asyncio.create_task(lane.call(content)) for content in contents]
    await until(lambda: set(contents) <= set(replica.waiting))
    return tasks


async def within(awaited: Any) -> Any:
    """What is awaited, or a TimeoutError in place of a test that hangs."""
    async with asyncio.timeout(SECONDS_MAX):
        return await awaited
