"""The lanes to all replicas of a deployment: found, picked, forgotten and found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from serve.lanes import LaneAddress, LaneLost, LanePauses, Lanes
from tests.support.lanes import Replica, calling, end, start_replica, until, within

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    replica = await start_replica()
    yield replica
    await end(replica)


@pytest.fixture
async def other() -> AsyncIterator[Replica]:
    replica = await start_replica()
    yield replica
    await end(replica)


class Directory:
    """Tells the addresses in turn, as Ray's handle does."""

    def __init__(self) -> None:
        self.replicas: list[Replica] = []
        self.asked = 0

    async def __call__(self) -> LaneAddress:
        self.asked += 1
        if not self.replicas:
            raise OSError("no replica")
        return self.replicas[self.asked % len(self.replicas)].address


QUICK = LanePauses(while_none=0.001, else_=0.001)


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
async def found(directory: Directory) -> AsyncIterator[Lanes]:
    """Lanes that look all the time."""
    lanes = Lanes(directory, QUICK)
    looking = asyncio.create_task(lanes.keep_found())
    yield lanes
    looking.cancel()
    await asyncio.wait([looking])
    lanes.close()


def addresses(found: Lanes) -> set[LaneAddress]:
    return set(found._lanes)


async def test_nothing_is_picked_before_a_replica_was_found(
    found: Lanes, directory: Directory, replica: Replica
) -> None:
    await until(lambda: directory.asked > 3)
    assert found.pick() is None
    directory.replicas.append(replica)
    await until(found.pick)


async def test_the_replica_with_fewer_calls_is_picked(
    found: Lanes, directory: Directory, replica: Replica, other: Replica
) -> None:
    directory.replicas = [replica, other]
    await until(lambda: addresses(found) == {replica.address, other.address})
    replica.waits = other.waits = True
    calls = []
    for number in range(6):
        lane = found.pick()
        assert lane is not None
        calls.append(asyncio.create_task(lane.call(bytes([number]))))
        await asyncio.sleep(0)
    await until(lambda: len(replica.waiting) == len(other.waiting) == 3)
    replica.let(next(iter(replica.waiting)))
    await until(lambda: any(call.done() for call in calls))
    picked = found.pick()
    assert picked is not None
    assert picked.address == replica.address
    for each in (replica, other):
        for content in list(each.waiting):
            each.let(content)
    await within(asyncio.gather(*calls))


async def test_a_replica_whose_connection_ended_is_forgotten_and_found_again(
    found: Lanes, directory: Directory, replica: Replica
) -> None:
    directory.replicas = [replica]
    await until(found.pick)
    first = found.pick()
    for served in replica.server._lanes:
        served.transport.abort()
    await until(lambda: found.pick() not in (None, first))
    lane = found.pick()
    assert lane is not None
    assert await within(lane.call(b"rows")) == b"swor"


async def test_a_replica_that_closes_is_not_picked_while_it_answers(
    found: Lanes, directory: Directory, replica: Replica, other: Replica
) -> None:
    directory.replicas = [replica]
    await until(found.pick)
    lane = found.pick()
    assert lane is not None
    [call] = await calling(lane, replica, b"rows")
    directory.replicas = []
    closing = asyncio.create_task(replica.server.close())
    await until(lambda: found.pick() is None)
    directory.replicas = [other]
    await until(lambda: addresses(found) == {other.address})
    replica.let(b"rows")
    assert await within(call) == b"swor"
    await within(closing)


async def test_an_address_where_nobody_listens_any_more_is_passed_over(
    found: Lanes, directory: Directory, replica: Replica, other: Replica
) -> None:
    await replica.server.close()
    directory.replicas = [replica, other]
    await until(lambda: addresses(found) == {other.address})
    await until(lambda: directory.asked > 5)
    assert addresses(found) == {other.address}


async def test_closing_the_lanes_fails_the_calls_under_way(
    directory: Directory, replica: Replica
) -> None:
    directory.replicas = [replica]
    lanes = Lanes(directory, QUICK)
    await lanes._look()
    lane = lanes.pick()
    assert lane is not None
    [call] = await calling(lane, replica, b"rows")
    lanes.close()
    with pytest.raises(LaneLost):
        await within(call)
    assert lanes.pick() is None
