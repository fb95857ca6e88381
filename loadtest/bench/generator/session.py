"""One run: opens the connections, keeps the pace, counts what comes, waits for what is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from loadtest.bench.generator.checker import Checker
from loadtest.bench.generator.connection import Connection
from loadtest.bench.generator.order import Order
from loadtest.bench.generator.pace import ClosedLoop, OpenLoop, Pace, arrivals
from loadtest.bench.generator.record import Record
from loadtest.bench.generator.wire import Answer, render_requests

TICK_SECONDS = 0.001
DRAIN_TICK_SECONDS = 0.01
RECONNECT_SECONDS = 0.05
BACKLOG_SECONDS = 3.0
"""After the last request was due, those still waiting for a connection may leave for so long."""
CONNECTING_AT_ONCE = 64
OK, TOO_MANY_REQUESTS = 200, 429


class Session:
    """All connections of one run, and what they saw."""

    def __init__(self, order: Order, bodies: Sequence[bytes]) -> None:
        self.record = Record()
        self._order = order
        self._requests = render_requests(
            path=order.path,
            host=f"{order.host}:{order.port}",
            headers=order.headers,
            keys=order.keys,
            bodies=bodies,
        )
        self._checker = Checker(order.marker.encode(), order.expected)
        self._pace = self._make_pace()
        self._connections: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._deadline = 0.0
        self._under_way = 0
        self._ended = False

    async def run(self) -> Record:
        """Carry the order out; returns when every request is answered or given up."""
        await self._connect_all()
        began, cpu_began = time.monotonic(), time.process_time()
        self._deadline = began + self._order.seconds
        self._pace.start(began)
        for connection in list(self._connections):
            self._pace.free(connection)
        await self._keep_pace()
        self.record.seconds = time.monotonic() - began
        self.record.cpu_seconds = time.process_time() - cpu_began
        await self._end()
        return self.record

    def answered(self, connection: Connection, answer: Answer) -> None:
        """Count the answer, then let the connection go on."""
        now, record = time.monotonic(), self.record
        record.latency(answer.status, now - connection.due)
        if answer.status == OK:
            record.in_time_200 += now < self._deadline
            if not self._checker.right(connection.number, answer.body):
                record.wrong_answer(answer.body)
        elif answer.status == TOO_MANY_REQUESTS and b"\r\nretry-after:" not in answer.head:
            record.refused_without_retry_after += 1
        connection.sent_at, connection.served = 0.0, True
        self._under_way -= 1
        if answer.closes:
            connection.abort()
        else:
            self._pace.free(connection)

    def lost(self, connection: Connection) -> None:
        """Count the request that was under way, if any; open another connection in its place."""
        self._connections.discard(connection)
        if connection.sent_at:
            connection.sent_at = 0.0
            self._under_way -= 1
            self.record.socket_errors += 1
        if not self._ended and time.monotonic() < self._deadline:
            self.record.reconnects += 1
            delay_seconds = 0.0 if connection.served else RECONNECT_SECONDS
            task = asyncio.get_running_loop().create_task(self._reconnect(delay_seconds))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    def _send(self, connection: Connection, due: float, now: float) -> None:
        record, requests = self.record, self._requests
        number = record.sent
        record.sent = number + 1
        record.sent_in_time += now < self._deadline
        self._under_way += 1
        connection.send(requests[number % len(requests)], number, due, now)

    def _make_pace(self) -> Pace:
        order = self._order
        if order.rate is None:
            return ClosedLoop(order.seconds, self._send)
        dues = arrivals(order.rate, order.seconds, order.seed)
        return OpenLoop(dues, self._send, self.record, waits=order.waits)

    async def _connect_all(self) -> None:
        limit = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def connect() -> None:
            async with limit:
                await self._connect()

        await asyncio.gather(*(connect() for _ in range(self._order.connections)))

    async def _connect(self) -> Connection | None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(self), self._order.host, self._order.port
            )
        except OSError:
            self.record.socket_errors += 1
            return None
        self._connections.add(connection)
        return connection

    async def _reconnect(self, delay_seconds: float) -> None:
        await asyncio.sleep(delay_seconds)
        while time.monotonic() < self._deadline:
            connection = await self._connect()
            if connection is not None:
                self._pace.free(connection)
                return
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _keep_pace(self) -> None:
        """Until nothing is left to send or to hear of, in bounded time."""
        tick = TICK_SECONDS if self._order.rate is not None else DRAIN_TICK_SECONDS
        scan_at = 0.0
        while True:
            self._pace.tick()
            now = time.monotonic()
            if now >= scan_at:
                self._give_up_late(now)
                scan_at = now + 0.25
            if self._is_over(now):
                break
            await asyncio.sleep(tick)
        self.record.unsent += self._pace.waiting
        await self._await_answers()

    def _is_over(self, now: float) -> bool:
        if self._pace.waiting:
            return now >= self._deadline + BACKLOG_SECONDS
        return now >= self._deadline and not self._under_way

    async def _await_answers(self) -> None:
        self._pace = ClosedLoop(0, self._send)
        while self._under_way:
            self._give_up_late(time.monotonic())
            await asyncio.sleep(DRAIN_TICK_SECONDS)

    def _give_up_late(self, now: float) -> None:
        for connection in list(self._connections):
            if connection.sent_at and now - connection.sent_at > self._order.timeout_seconds:
                connection.sent_at = 0.0
                self._under_way -= 1
                self.record.timeouts += 1
                connection.abort()

    async def _end(self) -> None:
        self._ended = True
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)
