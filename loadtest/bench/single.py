"""Latency of one request at a time on an idle server."""

from __future__ import annotations

import http.client
import itertools
import time
import urllib.parse
from dataclasses import dataclass
from http import HTTPStatus

from loadtest.bench.percentiles import percentile
from loadtest.bench.run import Load

WARM_UP = 20
SETTLE_SECONDS = 5
"""After a full load: until the server is idle, its logs and statistics written."""
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class SingleLatency:
    """Milliseconds of sequential requests on one keep-alive connection."""

    requests: int
    answers_200: int
    p50_ms: float
    p99_ms: float


def measure_single(load: Load, count: int) -> SingleLatency:
    """Send `count` requests one after another; the first few are not timed but are charged.

    With the standard library's plain client: a richer one takes a millisecond of its own.
    """
    time.sleep(SETTLE_SECONDS)
    milliseconds, good = [], 0
    pairs = zip(itertools.cycle(load.keys), itertools.cycle(load.bodies))
    url = urllib.parse.urlsplit(load.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT_SECONDS)
    for number, (key, body) in enumerate(itertools.islice(pairs, WARM_UP + count)):
        started = time.monotonic()
        good += post(connection, url.path, key, body) == HTTPStatus.OK
        if number >= WARM_UP:
            milliseconds.append((time.monotonic() - started) * 1000)
    connection.close()
    total = WARM_UP + count
    return SingleLatency(total, good, percentile(milliseconds, 50), percentile(milliseconds, 99))


def post(connection: http.client.HTTPConnection, path: str, key: str, body: str) -> int:
    """One scoring request, its answer read whole; returns the status."""
    connection.request("POST", path, body, make_headers(key))
    response = connection.getresponse()
    response.read()
    return response.status


def make_headers(key: str) -> dict[str, str]:
    """Headers of a scoring request."""
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
