"""The pools grow under load and shrink after it, and no request fails meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from tests.support.api import PREDICTIONS, Api, body
from tests.support.product import Product

BULK = body([[0] * 241] * 1024)
GROWN = {"LightGBMScorer": 2, "FeatureValidator": 3}
AT_REST = {"LightGBMScorer": 1, "FeatureValidator": 2}
SECONDS_MAX = 90


async def load_until_grown(api: Api, product: Product) -> tuple[set[int], dict[str, int]]:
    """Bulk requests, a few at a time, until both pools have grown; statuses, most replicas seen."""
    seen: set[int] = set()
    most = dict.fromkeys(GROWN, 0)
    deadline = time.monotonic() + SECONDS_MAX
    headers = {"Authorization": f"Bearer {api.key}"}
    over = asyncio.Event()

    async def send(client: httpx.AsyncClient) -> None:
        while not over.is_set():
            seen.add((await client.post(PREDICTIONS, json=BULK)).status_code)

    async def watch() -> None:
        while not over.is_set():
            for name in GROWN:
                running = await asyncio.to_thread(product.running, name)
                most[name] = max(most[name], len(running))
            if most == GROWN or time.monotonic() > deadline:
                over.set()
            await asyncio.sleep(0.5)

    async with httpx.AsyncClient(
        base_url=api.base_url, headers=headers, timeout=60, trust_env=False
    ) as client:
        await asyncio.gather(watch(), *(send(client) for _ in range(12)))
    return seen, most


def test_the_pools_grow_under_load_and_shrink_after_it(product: Product, make_api: Any) -> None:
    api = make_api("100000000")
    wait_until_at_rest(product)
    seen, most = asyncio.run(load_until_grown(api, product))
    assert most == GROWN
    assert seen == {200}
    wait_until_at_rest(product)
    assert api.score().status_code == 200


def wait_until_at_rest(product: Product) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while (now := {name: len(product.running(name)) for name in AT_REST}) != AT_REST:
        assert time.monotonic() < deadline, now
        time.sleep(0.5)
