"""Lanes over real sockets, on asyncio's own loop and on uvloop, which replicas have."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from serve.lanes import FRAME_BYTES_MAX, Lane, LaneAddress, LaneLost
from tests.support.lanes import HOST, Replica, calling, end, start_replica, until, within

pytestmark = pytest.mark.anyio

CALL, ANSWER = range(2)
TOKEN_BYTES = 32


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(autouse=True)
async def _no_error_reaches_the_loop() -> AsyncIterator[None]:
    """What no task and no caller takes ends up there."""
    errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, error: errors.append(error))
    yield
    await asyncio.sleep(0)
    assert errors == []


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    replica = await start_replica()
    yield replica
    await end(replica)


class Caller:
    """The caller's end of one lane, and whether it was told to leave."""

    def __init__(self, address: LaneAddress) -> None:
        self.left = 0
        self.lane = Lane(address, self._leave)

    async def connect(self) -> Lane:
        address = self.lane.address
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self.lane, address.host, address.port)
        return self.lane

    def _leave(self, _lane: Lane) -> None:
        self.left += 1


async def connect(replica: Replica) -> Lane:
    return await Caller(replica.address).connect()


def frame(number: int, kind: int, content: bytes) -> bytes:
    return struct.pack("<IIB", len(content), number, kind) + content


async def test_call_is_answered(replica: Replica) -> None:
    lane = await connect(replica)
    assert await within(lane.call(b"rows")) == b"swor"
    assert await within(lane.call(b"")) == b""
    assert lane.calls_under_way == 0


async def test_calls_at_once_are_answered_each_with_its_own_answer_in_any_order(
    replica: Replica,
) -> None:
    lane = await connect(replica)
    contents = [f"call {number}".encode() for number in range(100)]
    tasks = await calling(lane, replica, *contents)
    assert lane.calls_under_way == 100
    for content in contents[::-1]:
        replica.let(content)
    assert await within(asyncio.gather(*tasks)) == [content[::-1] for content in contents]
    assert lane.calls_under_way == 0


async def test_megabytes_pass_whole_beside_small_calls(replica: Replica) -> None:
    lane = await connect(replica)
    large = bytes(range(256)) * 4096 * 8
    answers = await within(
        asyncio.gather(lane.call(large), lane.call(b"small"), lane.call(large[1:]))
    )
    assert answers == [large[::-1], b"llams", large[:0:-1]]


async def test_frames_that_come_byte_by_byte_are_answered(replica: Replica) -> None:
    reader, writer = await asyncio.open_connection(HOST, replica.address.port)
    for byte in replica.address.token + frame(1, CALL, b"one") + frame(2, CALL, b"two"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    expected = frame(1, ANSWER, b"eno") + frame(2, ANSWER, b"owt")
    assert await within(reader.readexactly(len(expected))) == expected
    writer.close()


async def test_a_wrong_token_is_hung_up_on_and_asks_nothing(replica: Replica) -> None:
    reader, writer = await asyncio.open_connection(HOST, replica.address.port)
    writer.write(bytes(TOKEN_BYTES) + frame(1, CALL, b"rows"))
    assert await within(read_to_the_end(reader)) == b""
    assert replica.asked == []
    writer.close()


async def test_a_short_token_is_neither_answered_nor_taken_for_a_call(replica: Replica) -> None:
    reader, writer = await asyncio.open_connection(HOST, replica.address.port)
    writer.write(replica.address.token[:-1])
    writer.write_eof()
    assert await within(read_to_the_end(reader)) == b""
    assert replica.asked == []
    writer.close()


async def test_a_caller_that_keeps_its_token_back_is_hung_up_on(replica: Replica) -> None:
    lane = await connect(replica)
    replica.server.token_seconds_max = 0.0
    reader, writer = await asyncio.open_connection(HOST, replica.address.port)
    writer.write(replica.address.token[:-1])
    assert await within(read_to_the_end(reader)) == b""
    assert await within(lane.call(b"rows")) == b"swor"
    writer.close()


async def test_a_frame_larger_than_any_of_ours_ends_the_connection(replica: Replica) -> None:
    reader, writer = await asyncio.open_connection(HOST, replica.address.port)
    writer.write(replica.address.token + struct.pack("<IIB", FRAME_BYTES_MAX + 1, 1, CALL))
    assert await within(read_to_the_end(reader)) == b""
    assert replica.asked == []
    writer.close()


async def test_a_failure_of_the_replica_is_of_this_call_alone(replica: Replica) -> None:
    lane = await connect(replica)
    bad, good = await calling(lane, replica, b"bad", b"good")
    replica.let(b"bad", ValueError("no such model"))
    with pytest.raises(LaneLost, match="failed on this call"):
        await within(bad)
    replica.let(b"good")
    assert await within(good) == b"doog"


async def test_a_call_cancelled_in_the_replica_fails_at_once(replica: Replica) -> None:
    lane = await connect(replica)
    [call] = await calling(lane, replica, b"rows")
    replica.waiting.pop(b"rows").cancel()
    with pytest.raises(LaneLost, match="failed on this call"):
        await within(call)


async def test_a_closing_replica_answers_what_it_has_then_hangs_up(replica: Replica) -> None:
    caller = Caller(replica.address)
    lane = await caller.connect()
    [first] = await calling(lane, replica, b"first")
    closing = asyncio.create_task(replica.server.close())
    await until(lambda: caller.left)
    [late] = await calling(lane, replica, b"late")
    replica.let(b"first")
    assert await within(first) == b"tsrif"
    replica.let(b"late")
    assert await within(late) == b"etal"
    await within(closing)
    await until(lane.transport.is_closing)
    with pytest.raises(LaneLost, match="closed"):
        await lane.call(b"rows")


async def test_a_token_shown_to_a_closing_replica_opens_nothing(replica: Replica) -> None:
    reader, writer = await asyncio.open_connection(HOST, replica.address.port)
    writer.write(replica.address.token[:1])
    lane = await connect(replica)
    [call] = await calling(lane, replica, b"rows")
    closing = asyncio.create_task(replica.server.close())
    await asyncio.sleep(0)
    writer.write(replica.address.token[1:] + frame(1, CALL, b"late"))
    assert await within(read_to_the_end(reader)) == b""
    assert replica.asked == [b"rows"]
    replica.let(b"rows")
    await within(asyncio.gather(closing, call))
    writer.close()


async def test_closing_waits_for_a_call_whose_caller_is_gone(replica: Replica) -> None:
    lane = await connect(replica)
    [call] = await calling(lane, replica, b"rows")
    lane.transport.abort()
    with pytest.raises(LaneLost):
        await within(call)
    await until(lambda: not replica.server._lanes)
    closing = asyncio.create_task(replica.server.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    replica.let(b"rows")
    await within(closing)


async def test_a_connection_that_ends_fails_every_call_under_way(replica: Replica) -> None:
    caller = Caller(replica.address)
    lane = await caller.connect()
    calls = await calling(lane, replica, b"1", b"2", b"3")
    for served in replica.server._lanes:
        served.transport.abort()
    results = await within(asyncio.gather(*calls, return_exceptions=True))
    assert [type(result) for result in results] == [LaneLost] * 3
    assert caller.left == 1
    assert lane.calls_under_way == 0


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
async def test_a_machine_that_vanished_is_given_up_after_seconds(replica: Replica) -> None:
    lane = await connect(replica)
    taken = lane.transport.get_extra_info("socket")
    assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000


async def test_a_cancelled_call_leaves_nothing_and_its_answer_is_dropped(
    replica: Replica,
) -> None:
    lane = await connect(replica)
    cancelled, kept = await calling(lane, replica, b"cancelled", b"kept")
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert lane.calls_under_way == 1
    replica.let(b"cancelled")
    replica.let(b"kept")
    assert await within(kept) == b"tpek"


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """What came before the connection ended, in whatever way."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
