"""Latency of one request at a time on an idle server."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from loadtest.bench.percentiles import percentile
from loadtest.bench.run import Load

WARM_UP = 20


@dataclass(frozen=True, slots=True)
class SingleLatency:
    """Milliseconds of sequential requests on one keep-alive connection."""

    requests: int
    answers_200: int
    p50_ms: float
    p99_ms: float


def measure_single(load: Load, count: int) -> SingleLatency:
    """Send `count` requests one after another; the first few are not timed but are charged."""
    milliseconds, good = [], 0
    pairs = zip(itertools.cycle(load.keys), itertools.cycle(load.bodies))
    with httpx.Client() as client:
        for number, (key, body) in enumerate(itertools.islice(pairs, WARM_UP + count)):
            started = time.monotonic()
            good += post(client, load.url, key, body).status_code == HTTPStatus.OK
            if number >= WARM_UP:
                milliseconds.append((time.monotonic() - started) * 1000)
    total = WARM_UP + count
    return SingleLatency(total, good, percentile(milliseconds, 50), percentile(milliseconds, 99))


def post(client: httpx.Client, url: str, key: str, body: str) -> httpx.Response:
    """One scoring request."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return client.post(url, content=body, headers=headers)
