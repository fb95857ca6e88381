"""Every replica is replaced while clients go on; none of their requests fails."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from loadtest.dashboard import APPLICATIONS, next_release
from tests.support.api import Api, statuses
from tests.support.product import Product

REPLACED = ("FeatureValidator", "LightGBMScorer", "Billing")
CLIENTS = 4
SECONDS_MAX = 150


@pytest.mark.timeout(300)
def test_no_request_fails_while_every_replica_is_replaced(product: Product, make_api: Any) -> None:
    apis = [make_api("100000") for _ in range(CLIENTS)]
    over = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        scored = [pool.submit(score_until, over, api) for api in apis]
        try:
            replace_every_replica(product)
        finally:
            over.set()
    for api, each in zip(apis, scored, strict=True):
        responses = each.result()
        assert statuses(responses) == {200: len(responses)}, problems(responses)
        assert len({response.json()["id"] for response in responses}) == len(responses)
        assert api.balance == 100000 - len(responses)


def score_until(over: threading.Event, api: Api) -> list[httpx.Response]:
    """One keyed request after another."""
    responses: list[httpx.Response] = []
    for number in itertools.count():
        responses.append(score_or_send_again(api, f"{api.key[-8:]}-{number}"))
        if over.is_set():
            break
    return responses


def score_or_send_again(api: Api, key: str) -> httpx.Response:
    """A connection that HAProxy had closed between two requests is no answer: the key is sent
    again, once."""
    try:
        return api.score(key=key)
    except httpx.RemoteProtocolError:
        return api.score(key=key)


def problems(responses: list[httpx.Response]) -> list[str]:
    return [response.text[:300] for response in responses if response.status_code != 200][:5]


def replace_every_replica(product: Product) -> None:
    """Have Serve do so, and return when the last old one is gone."""
    old = frozenset[str]().union(*map(product.running, REPLACED))
    assert len(old) >= 4
    url = f"http://127.0.0.1:{product.ports['FAREBOX_DASHBOARD_PORT']}{APPLICATIONS}"
    config = next_release(httpx.get(url, timeout=10).json(), "scoring", f"{time.time()}")
    httpx.put(url, json=config, timeout=60).raise_for_status()
    deadline = time.monotonic() + SECONDS_MAX
    while not (all(map(product.running, REPLACED)) and not old & frozenset(replica_ids(product))):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert product.applications()["scoring"]["status"] == "RUNNING"


def replica_ids(product: Product) -> Iterator[str]:
    """Of all that there are, those that start or end included."""
    for deployment in product.applications()["scoring"]["deployments"].values():
        for replica in deployment["replicas"]:
            yield replica["replica_id"]
