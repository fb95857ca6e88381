"""A small load generator for machines without wrk; it is slower than what it measures may be."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loadtest.bench.percentiles import percentile
from loadtest.bench.run import Load, Run

ANSWER_SECONDS = 10
HEADER_BYTES_MAX = 64 * 1024
NAME = "built-in"


@dataclass(slots=True)
class Tally:
    """What all connections saw."""

    sent: int = 0
    in_time: int = 0
    wrong: int = 0
    wrong_sample: str = ""
    socket_errors: int = 0
    timeouts: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)


def run_builtin(load: Load) -> Run:
    """Send `load` from this process; returns when each request is answered or given up."""
    tally = asyncio.run(_send_all(load))
    latencies = tally.milliseconds or [0.0]
    return Run(
        seconds=load.seconds,
        sent=tally.sent,
        in_time=tally.in_time,
        statuses=dict(tally.statuses),
        p50_ms=percentile(latencies, 50),
        p99_ms=percentile(latencies, 99),
        wrong=tally.wrong,
        wrong_sample=tally.wrong_sample,
        socket_errors=tally.socket_errors,
        timeouts=tally.timeouts,
        generator=NAME,
    )


def make_requests(load: Load) -> list[bytes]:
    """Requests as bytes, each key with each body."""
    parts = urlsplit(load.url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    )
    count = len(load.keys) * len(load.bodies)
    pairs = itertools.islice(zip(itertools.cycle(load.keys), itertools.cycle(load.bodies)), count)
    return [
        f"{head}Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        for key, body in pairs
    ]


async def _send_all(load: Load) -> Tally:
    tally, requests = Tally(), itertools.cycle(make_requests(load))
    deadline = time.monotonic() + load.seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(load.connections):
            group.create_task(_connection(load, requests, tally, deadline))
    return tally


async def _connection(load: Load, requests: Iterator[bytes], tally: Tally, deadline: float) -> None:
    """One keep-alive connection after another until the deadline."""
    parts = urlsplit(load.base_url)
    while time.monotonic() < deadline:
        try:
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port, limit=HEADER_BYTES_MAX
            )
            try:
                await _converse(reader, writer, requests, tally, deadline)
            finally:
                writer.close()
        except TimeoutError:
            tally.timeouts += 1
        except (OSError, asyncio.IncompleteReadError):
            tally.socket_errors += 1
            await asyncio.sleep(0.1)


async def _converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    requests: Iterator[bytes],
    tally: Tally,
    deadline: float,
) -> None:
    while (started := time.monotonic()) < deadline:
        writer.write(next(requests))
        tally.sent += 1
        async with asyncio.timeout(ANSWER_SECONDS):
            status, body = await read_answer(reader)
        ended = time.monotonic()
        tally.statuses[status] += 1
        tally.in_time += ended < deadline
        tally.milliseconds.append((ended - started) * 1000)
        if status == 200 and b'"probability":' not in body:
            tally.wrong += 1
            tally.wrong_sample = body[:200].decode(errors="replace")


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer that states its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    status_line, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value for name, _, value in (f.partition(":") for f in fields)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(status_line.split()[1]), body
