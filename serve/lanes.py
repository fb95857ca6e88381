"""Lanes: straight connections between our own replicas, one frame a call and one an answer.

A call by Ray's handle takes 2 to 3 ms of a lone request and over 1 ms of processor time, most of
it in its router and in gRPC's Python; over a lane it is a write and a read of a socket. Ray still
starts, watches, scales and ends the replicas: a lane is found by asking one through its handle,
and whenever there is none, the handle takes the call.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog

logger = structlog.get_logger(__name__)

FRAME_BYTES_MAX = 64 * 1024 * 1024
"""The largest batch is a few megabytes; more is no frame of ours."""

_FRAME = struct.Struct("<IIB")
"""Bytes that follow, number of the call, kind."""
_TOKEN_BYTES = 32
_TOKEN_SECONDS_MAX = 5.0
"""The token is the first thing that a caller writes: who keeps it back is none of ours."""
_UNANSWERED_MS_MAX = 5000
"""A machine that vanishes says no farewell: what its network does not confirm by then is lost."""
_CALL, _ANSWER, _FAILED, _LEAVING = range(4)

Handle = Callable[[bytes], Awaitable[bytes]]


class LaneLost(Exception):
    """The connection ended, or the replica failed: the call may have been carried out or not."""


class LaneAddress(NamedTuple):
    """Where a replica listens. The token is told through Ray alone and opens the lane."""

    host: str
    port: int
    token: bytes


class _Frames(asyncio.Protocol):
    """Cuts what is received into frames."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start, available = 0, len(buffer)
        while available - start >= _FRAME.size:
            length, number, kind = _FRAME.unpack_from(buffer, start)
            if length > FRAME_BYTES_MAX:
                self.transport.abort()
                return
            end = start + _FRAME.size + length
            if end > available:
                break
            self.frame_received(number, kind, bytes(buffer[start + _FRAME.size : end]))
            start = end
        del buffer[:start]

    def frame_received(self, number: int, kind: int, content: bytes) -> None:
        raise NotImplementedError

    def send(self, number: int, kind: int, content: bytes = b"") -> None:
        """Write one frame, in one piece; nothing where the other end is gone."""
        if not self.transport.is_closing():  # uvloop raises on a write to what is closed
            self.transport.write(_FRAME.pack(len(content), number, kind) + content)


class LaneServer:
    """Takes the calls of one replica; `handle` answers each, several at a time."""

    def __init__(self, handle: Handle, token_seconds_max: float = _TOKEN_SECONDS_MAX) -> None:
        self._handle = handle
        self.token_seconds_max = token_seconds_max
        self._token = secrets.token_bytes(_TOKEN_BYTES)
        self._server: asyncio.Server | None = None
        self._closing = False
        self._lanes: set[_ServedLane] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str) -> LaneAddress:
        """Listen on a free port of `host`; where to call."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _ServedLane(self, self._token), host, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return LaneAddress(host, port, self._token)

    async def close(self) -> None:
        """Tell the callers to go elsewhere, answer what is under way, then hang up."""
        self._closing = True
        if self._server is not None:
            self._server.close()
        for lane in self._lanes:
            lane.send(0, _LEAVING)
        while self._tasks:  # more come from callers that were not told yet
            await asyncio.wait(self._tasks)
        for lane in list(self._lanes):
            lane.transport.close()

    def opened(self, lane: _ServedLane) -> None:
        """The caller has shown its token; too late where we are about to leave."""
        if self._closing:
            lane.transport.abort()
        else:
            self._lanes.add(lane)

    def closed(self, lane: _ServedLane) -> None:
        """The caller is gone; what it asked for is worked off all the same."""
        self._lanes.discard(lane)

    def called(self, lane: _ServedLane, number: int, content: bytes) -> None:
        """Answer in a task of its own: calls overlap."""
        task = asyncio.get_running_loop().create_task(self._answer(lane, number, content))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, lane: _ServedLane, number: int, content: bytes) -> None:
        try:
            answer = await self._handle(content)
        except asyncio.CancelledError:
            lane.send(number, _FAILED)
            raise
        except Exception:
            logger.exception("lane_call_failed")
            lane.send(number, _FAILED)
        else:
            lane.send(number, _ANSWER, answer)


class _ServedLane(_Frames):
    """The replica's end of a lane. Nothing is read as a call before the token was shown."""

    def __init__(self, server: LaneServer, token: bytes) -> None:
        super().__init__()
        self._server = server
        self._token = token
        self._awaited = _TOKEN_BYTES
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._server.token_seconds_max, transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._awaited:
            self._buffer += data
            if len(self._buffer) < self._awaited:
                return
            if not secrets.compare_digest(bytes(self._buffer[: self._awaited]), self._token):
                self.transport.abort()
                return
            del self._buffer[: self._awaited]
            self._awaited = 0
            self._stop_timer()
            self._server.opened(self)
            if self.transport.is_closing():
                return
            data = b""
        super().data_received(data)

    def frame_received(self, number: int, kind: int, content: bytes) -> None:
        self._server.called(self, number, content)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._server.closed(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Lane(_Frames):
    """The caller's end of a lane."""

    def __init__(self, address: LaneAddress, on_leaving: Callable[[Lane], None]) -> None:
        super().__init__()
        self.address = address
        self._on_leaving = on_leaving
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0

    @property
    def calls_under_way(self) -> int:
        """Calls that wait for their answer."""
        return len(self._calls)

    async def call(self, content: bytes) -> bytes:
        """The replica's answer; raises LaneLost where none will come."""
        if self.transport.is_closing():
            raise LaneLost("the lane is closed")
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._calls[number] = answered
        try:
            self.send(number, _CALL, content)
            return await answered
        finally:
            self._calls.pop(number, None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            option = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS_MAX)
            transport.get_extra_info("socket").setsockopt(*option)
        self.transport.write(self.address.token)

    def frame_received(self, number: int, kind: int, content: bytes) -> None:
        if kind == _LEAVING:
            self._on_leaving(self)
            return
        answered = self._calls.get(number)
        if answered is None or answered.done():
            return
        if kind == _ANSWER:
            answered.set_result(content)
        else:
            answered.set_exception(LaneLost("the replica failed on this call"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_leaving(self)
        for answered in self._calls.values():
            if not answered.done():
                answered.set_exception(LaneLost("the connection to the replica ended"))


@dataclass(frozen=True, slots=True)
class LanePauses:
    """How often replicas are looked for, in seconds."""

    while_none: float = 0.2
    """There is no lane yet, or none any more."""
    else_: float = 2.0
    """There may be new replicas."""
    connect: float = 2.0
    """A replica that does not take the connection by then is asked for again."""


class Lanes:
    """The lanes to the replicas of one deployment.

    `find` asks one of them, whichever Ray chooses, for its address: asked again and again, it
    comes to know all.
    """

    def __init__(
        self, find: Callable[[], Awaitable[LaneAddress]], pauses: LanePauses = LanePauses()
    ) -> None:
        self._find = find
        self._pauses = pauses
        self._lanes: dict[LaneAddress, Lane] = {}

    @property
    def open(self) -> tuple[Lane, ...]:
        """All there are."""
        return tuple(self._lanes.values())

    def pick(self) -> Lane | None:
        """The lane with the fewest calls under way; None where there is none."""
        lanes = self._lanes.values()
        if len(lanes) < 2:  # noqa: PLR2004 - one or none: nothing to choose
            return next(iter(lanes), None)
        return min(lanes, key=_calls_under_way)

    async def keep_found(self) -> None:
        """Look for replicas until cancelled."""
        while True:
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - the handle takes the calls meanwhile
                logger.warning("lane_not_opened", reason=str(error)[:200])
            pauses = self._pauses
            await asyncio.sleep(pauses.else_ if self._lanes else pauses.while_none)

    def close(self) -> None:
        """Hang up; calls under way fail."""
        for lane in list(self._lanes.values()):
            lane.transport.close()

    async def _look(self) -> None:
        async with asyncio.timeout(self._pauses.connect):
            address = LaneAddress(*await self._find())
            if address in self._lanes:
                return
            loop = asyncio.get_running_loop()
            _, lane = await loop.create_connection(
                lambda: Lane(address, self._forget), address.host, address.port
            )
        if not lane.transport.is_closing():
            self._lanes[address] = lane

    def _forget(self, lane: Lane) -> None:
        if self._lanes.get(lane.address) is lane:
            del self._lanes[lane.address]


def _calls_under_way(lane: Lane) -> int:
    return lane.calls_under_way
