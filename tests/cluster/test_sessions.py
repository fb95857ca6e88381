"""A signed-in person scores with the session's token, until they sign out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from billing.sessions.values import SESSION_KEY_ID
from tests.support.api import PREDICTIONS, Api, body
from tests.support.product import Product

ANNA = {"email": "anna.scores@example.com", "password": "correct horse battery"}


@dataclass
class Signed:
    """A session over HTTP: of the accounts application, and of the scoring API."""

    accounts: httpx.Client
    scoring: Api


@pytest.fixture
def make_session(product: Product) -> Iterator[Any]:
    """Signs Anna in once more; she has 100 welcome credits."""
    root = f"{product.base_url}/accounts/v1"
    clients: list[httpx.Client] = []

    def make() -> Signed:
        signed_in = httpx.post(f"{root}/sessions", json=ANNA, timeout=30, trust_env=False)
        made = signed_in.raise_for_status().json()
        scoring = Api.connect(product.base_url, made["token"])
        accounts = httpx.Client(
            base_url=root, headers=scoring.client.headers, timeout=30, trust_env=False
        )
        clients.extend((scoring.client, accounts))
        return Signed(accounts, scoring)

    httpx.post(f"{root}/users", json=ANNA, timeout=30, trust_env=False).raise_for_status()
    yield make
    for client in clients:
        client.close()


def test_a_session_scores_reads_and_is_refused_at_once_when_it_was_ended(
    product: Product, make_session: Any
) -> None:
    signed, other = make_session(), make_session()
    scoring = signed.scoring
    before = scoring.balance
    paid = scoring.score(key="k").raise_for_status()
    assert scoring.score(key="k").content == paid.content
    assert before - scoring.balance == 1
    stored = scoring.client.get(f"{PREDICTIONS}/{paid.json()['id']}")
    assert stored.json()["predictions"] == paid.json()["predictions"]
    inputs = {"name": "features", "datatype": "UINT8", "shape": [1, 241], "data": [0] * 241}
    inferred = scoring.client.post("/v2/models/android-malware/infer", json={"inputs": [inputs]})
    assert inferred.status_code == 200, inferred.text
    assert scoring.client.get("/v1/account").json()["key_id"] == SESSION_KEY_ID

    history = signed.accounts.get("/predictions", params={"key": SESSION_KEY_ID}).json()
    assert [each["key_id"] for each in history["items"]] == [SESSION_KEY_ID] * 2

    assert signed.accounts.delete("/sessions/current").status_code == 204
    refused = [scoring.client.post(PREDICTIONS, json=body()) for _ in range(20)]
    assert {each.status_code for each in refused} == {401}
    assert {each.json()["code"] for each in refused} == {"unauthenticated"}
    assert other.scoring.score().status_code == 200
    assert "the ledger is clean" in product.run("reconcile").stdout
