"""The scorer's pool grows under load and shrinks after it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from tests.support.api import PREDICTIONS, Api, body
from tests.support.product import Product

BULK = body([[0] * 241] * 1024)


def running_scorers(product: Product) -> int:
    replicas = product.deployment("LightGBMScorer")["replicas"]
    return sum(replica["state"] == "RUNNING" for replica in replicas)


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
            count = await asyncio.to_thread(running_scorers, product)
            if count >= replicas or time.monotonic() > deadline:
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
    wait_for_scorers(product, 1, 90)
    seen = asyncio.run(load_until(api, product, 2, 60))
    assert running_scorers(product) == 2
    assert set(seen) == {200}
    wait_for_scorers(product, 1, 90)
    assert api.score().status_code == 200


def wait_for_scorers(product: Product, replicas: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while running_scorers(product) != replicas:
        assert time.monotonic() < deadline, f"{running_scorers(product)} replicas"
        time.sleep(0.5)
