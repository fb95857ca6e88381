"""The pools grow under load and shrink after it, and no request fails meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from tests.support.api import PREDICTIONS, Api, body, statuses
from tests.support.product import Product

BULK = body([[0] * 241] * 1024)
SECONDS_MAX = 90
HELD_REQUESTS = 100
HELD_SECONDS_MAX = 5.0
"""Below the 8 s and 10 s after which a request is refused."""


async def load_until(api: Api, product: Product, replicas: int, seconds: float) -> list[int]:
    """Bulk requests, a few at a time, until the pool has so many replicas; statuses seen."""
    seen: list[int] = []
    deadline = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {api.key}"}
    reached = asyncio.Event()

    async def send(client: httpx.AsyncClient) -> None:
        while not reached.is_set():
            response = await client.post(PREDICTIONS, json=BULK)
            seen.append(response.status_code)

    async def watch() -> None:
        while not reached.is_set():
            running = await asyncio.to_thread(product.running, "LightGBMScorer")
            if len(running) >= replicas or time.monotonic() > deadline:
                reached.set()
            await asyncio.sleep(0.5)

    async with httpx.AsyncClient(
        base_url=api.base_url, headers=headers, timeout=60, trust_env=False
    ) as client:
        await asyncio.gather(watch(), *(send(client) for _ in range(12)))
    return seen


def test_the_pool_goes_from_one_replica_to_two_under_load_and_back(
    product: Product, make_api: Any
) -> None:
    api = make_api("100000000")
    wait_for(product, "LightGBMScorer", 1)
    seen = asyncio.run(load_until(api, product, 2, 60))
    assert len(product.running("LightGBMScorer")) == 2
    assert set(seen) == {200}
    wait_for(product, "LightGBMScorer", 1)
    assert api.score().status_code == 200


def test_validators_go_from_two_to_three_under_many_requests_and_back(
    product: Product, make_api: Any
) -> None:
    api = make_api("100000")
    wait_for(product, "FeatureValidator", 2)
    deadline = time.monotonic() + SECONDS_MAX
    while len(product.running("FeatureValidator")) < 3:
        assert time.monotonic() < deadline
        with ThreadPoolExecutor(1) as pool:
            with suspended(product, "Billing"):
                responses = pool.submit(api.score_at_once, HELD_REQUESTS)
                pass_while(lambda: len(product.running("FeatureValidator")) < 3, HELD_SECONDS_MAX)
            assert statuses(responses.result()) == {200: HELD_REQUESTS}
    wait_for(product, "FeatureValidator", 2)
    assert api.score().status_code == 200


@contextmanager
def suspended(product: Product, deployment: str) -> Iterator[None]:
    """While the replicas' processes stand still, the requests that need them are under way."""
    processes = product.processes(f"ServeReplica:scoring:{deployment}")
    assert processes
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def pass_while(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while holds() and time.monotonic() < deadline:
        time.sleep(0.2)


def wait_for(product: Product, deployment: str, replicas: int) -> None:
    pass_while(lambda: len(product.running(deployment)) != replicas, SECONDS_MAX)
    assert len(product.running(deployment)) == replicas
