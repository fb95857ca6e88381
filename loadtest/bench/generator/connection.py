"""One keep-alive connection with at most one request under way."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from loadtest.bench.generator.wire import Answer, WireError, read_answer


class Listener(Protocol):
    """Who is told what becomes of a connection."""

    def answered(self, connection: Connection, answer: Answer) -> None: ...

    def lost(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """Writes a request, gathers its answer, tells the listener."""

    __slots__ = ("_arrived", "_listener", "_transport", "due", "number", "sent_at", "served")

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._arrived: list[bytes] = []
        self.number = 0
        self.due = 0.0
        self.sent_at = 0.0
        """When the request under way was sent; 0 while there is none."""
        self.served = False

    @property
    def usable(self) -> bool:
        """A request can be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: bytes, number: int, due: float, now: float) -> None:
        """Send request `number`, which was meant to leave at `due`."""
        assert self._transport is not None
        self.number, self.due, self.sent_at = number, due, now
        self._transport.write(request)

    def abort(self) -> None:
        """Close at once; the listener hears that it is lost."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._arrived:
            self._arrived.append(data)
            data = b"".join(self._arrived)
        try:
            answer = read_answer(data)
        except (WireError, ValueError):
            self.abort()
            return
        if answer is None:
            self._arrived = [data]
        elif not self.sent_at:
            self.abort()
        else:
            self._arrived = []
            self._listener.answered(self, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._listener.lost(self)
