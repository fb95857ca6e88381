"""When the next request leaves: at once after an answer (closed loop), or by the clock (open)."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from loadtest.bench.generator.connection import Connection
from loadtest.bench.generator.record import Record

Send = Callable[[Connection, float, float], None]
"""Sends the next request on a connection: when it was due, and now."""


class Pace(Protocol):
    """Decides what a free connection does. Times are those of `time.monotonic`."""

    def start(self, began: float) -> None: ...

    def free(self, connection: Connection) -> None: ...

    def tick(self) -> None: ...

    @property
    def waiting(self) -> int: ...


class ClosedLoop:
    """Each connection sends its next request when the one before is answered."""

    def __init__(self, seconds: float, send: Send) -> None:
        self._seconds = seconds
        self._send = send
        self._deadline = 0.0
        self.waiting = 0

    def start(self, began: float) -> None:
        """From here on requests leave, for `seconds`."""
        self._deadline = began + self._seconds

    def free(self, connection: Connection) -> None:
        """Send the next request, if there is time."""
        now = monotonic()
        if now < self._deadline:
            self._send(connection, now, now)

    def tick(self) -> None:
        """Nothing is due by the clock."""


class OpenLoop:
    """Requests leave when they are due; one that finds no free connection waits for its turn.

    Or, where nobody `waits`, never leaves: what more clients than there are connections would do
    says nothing of the server.
    """

    def __init__(
        self, dues: list[float], send: Send, record: Record, *, waits: bool = True
    ) -> None:
        self._waits = waits
        self._dues = dues
        self._send = send
        self._record = record
        self._next = 0
        self._idle: list[Connection] = []
        self._queue: deque[float] = deque()

    @property
    def waiting(self) -> int:
        """Requests that are due, or will be, and have not left."""
        return len(self._queue) + len(self._dues) - self._next

    def start(self, began: float) -> None:
        """Dues count from here."""
        self._dues = [began + due for due in self._dues]

    def free(self, connection: Connection) -> None:
        """Send what has waited longest, else keep the connection for what comes.

        The last one used is used again first, so those that servers close as idle are not needed.
        """
        if self._queue:
            self._send(connection, self._queue.popleft(), monotonic())
        else:
            self._idle.append(connection)

    def tick(self) -> None:
        """Send whatever is due by now."""
        dues, at, now = self._dues, self._next, monotonic()
        while at < len(dues) and dues[at] <= now:
            self._record.lag_milliseconds.append((now - dues[at]) * 1000)
            self._queue.append(dues[at])
            at += 1
            self._next = at
            self._send_queued(now)
            if not self._waits:
                self._record.unsent += len(self._queue)
                self._queue.clear()
            now = monotonic()

    def _send_queued(self, now: float) -> None:
        while self._queue and self._idle:
            connection = self._idle.pop()
            if connection.usable:
                self._send(connection, self._queue.popleft(), now)


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Poisson arrivals, just `rate * seconds` of them: sorted uniform draws.

    Independent clients come so. Even spacing would never show the queues that chance builds, and
    so flatter every p99. With the same seed each server meets the same instants.
    """
    source = random.Random(seed)
    return sorted(source.uniform(0, seconds) for _ in range(round(rate * seconds)))
