"""The built-in load generator, against a small server on loopback."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from loadtest.bench.generator import make_requests, run_builtin
from loadtest.bench.run import Load

GOOD = b'{"predictions": [{"probability": 0.5}]}'


@contextmanager
def server(body: bytes) -> Iterator[str]:
    """Answers every request on a connection with 200 and `body`; yields its address."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    address: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def serve() -> None:
        listening = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = listening.sockets[0].getsockname()
        address.append(f"http://{host}:{port}")
        ready.set()
        await stopped.wait()
        listening.close()

    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()


def test_every_request_is_answered_and_counted() -> None:
    with server(GOOD) as address:
        run = run_builtin(Load(address, ["key"], ["{}"], connections=4, seconds=1))
    assert run.answers_200 == run.sent > 0
    assert (run.unanswered, run.wrong) == (0, 0)
    assert run.generator == "built-in"


def test_a_200_without_predictions_is_wrong() -> None:
    with server(b'{"nothing": 1}') as address:
        run = run_builtin(Load(address, ["key"], ["{}"], connections=1, seconds=1))
    assert run.wrong == run.answers_200 > 0


def test_each_key_takes_its_turn() -> None:
    requests = make_requests(Load("http://127.0.0.1:1", ["a", "b"], ["{}", "[]", "1"], 1, 1))
    assert len(requests) == 6
    assert len(set(requests)) == 6
