"""A small HTTP server on loopback that answers as a test tells it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """What goes back for one request: raw bytes, after a while, and whether that was the last."""

    raw: bytes
    after_seconds: float = 0.0
    then_close: bool = False


Script = Callable[[int, str], Reply]
"""From the number of a request, counted over all connections, and its head."""


def http_answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def scripted_server(script: Script) -> Iterator[str]:
    """The server for as long as the block runs; yields its address."""
    ready, stopping = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    address: list[str] = []
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_serve(script, address, ready, stopping))
    )
    thread.start()
    ready.wait()
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


async def _serve(
    script: Script, address: list[str], ready: threading.Event, stopping: asyncio.Event
) -> None:
    count = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                _, _, length = head.lower().partition("content-length: ")
                await reader.readexactly(int(length.split("\r\n")[0] or 0))
                reply = script(count, head)
                count += 1
                await asyncio.sleep(reply.after_seconds)
                writer.write(reply.raw)
                if reply.then_close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    address.append(f"http://{host}:{port}")
    ready.set()
    await stopping.wait()
    server.close()
    # Answers that nobody waits for any more.
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # A closed transport lets go of its socket in the loop's next rounds.
    for _ in range(3):
        await asyncio.sleep(0)
