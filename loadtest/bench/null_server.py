"""`python -m loadtest.bench.null_server`: answers each request with the body on standard input.

It does as little as a server can, so what limits a run against it is the generator.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

from loadtest.bench.files import allow_connections

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_READ_BYTES_MAX = 16 * 1024 * 1024
_CONNECTIONS_MAX = 4096


class NullConnection(asyncio.Protocol):
    """Counts the bytes of a request, writes the answer when all are there."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._head = b""
        self._missing = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if self._missing:
            self._missing -= len(data)
        elif not self._begin(data):
            return
        if self._missing <= 0:
            self._missing = 0
            self._transport.write(self._answer)

    def _begin(self, data: bytes) -> bool:
        data = self._head + data
        end = data.find(_HEAD_END)
        if end < 0:
            self._head = data[:_READ_BYTES_MAX]
            return False
        self._head = b""
        head = data[:end].lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r", 1)[0]) if at >= 0 else 0
        self._missing = end + len(_HEAD_END) + length - len(data)
        return True


async def serve(body: bytes) -> None:
    """Listen on a port of the system's choice, print it, answer until ended."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    server = await asyncio.get_running_loop().create_server(
        lambda: NullConnection(answer), "127.0.0.1", 0, backlog=_CONNECTIONS_MAX
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    allow_connections(_CONNECTIONS_MAX)
    uvloop.run(serve(sys.stdin.buffer.read()))
