"""Exactly once: races for the last credit, retries, replays, and whatever is killed meanwhile."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil

from tests.support.api import APP, Api, body, statuses
from tests.support.product import Product


def test_ten_times_as_many_requests_as_credits_give_exactly_the_credits(
    product: Product, make_api: Any
) -> None:
    """Over two validator replicas: neither more nor fewer answers than were paid for."""
    assert len(product.running("FeatureValidator")) >= 2
    api = make_api("20")
    responses = [response for _ in range(4) for response in api.score_at_once(50)]
    assert statuses(responses) == {200: 20, 402: 180}
    assert api.balance == 0
    balances = {response.json().get("credits_balance") for response in responses} - {None}
    assert balances == {str(left) for left in range(20)}


def test_without_enough_credits_402_says_how_many(make_api: Any) -> None:
    api = make_api("1.5")
    problem = api.score(body([APP, APP])).json()
    assert (problem["status"], problem["code"]) == (402, "insufficient_credits")
    assert (problem["required"], problem["available"]) == ("2", "1.5")
    assert api.score().status_code == 200
    assert str(api.balance) == "0.5"


def test_a_broke_account_does_not_keep_another_from_being_charged(make_api: Any) -> None:
    broke, rich = make_api("0"), make_api("100")
    refused: list[httpx.Response] = []
    with in_background(lambda: refused.extend(broke.score_at_once(30))):
        responses = rich.score_at_once(30)
    assert statuses(responses) == {200: 30}
    assert statuses(refused) == {402: 30}


def test_one_key_a_hundred_times_at_once_is_charged_once(api: Api) -> None:
    responses = api.score_at_once(60, key="order-1") + api.score_at_once(40, key="order-1")
    paid = [response for response in responses if response.status_code == 200]
    assert {response.status_code for response in responses} <= {200, 409}
    assert paid
    assert len({response.json()["id"] for response in paid}) == 1
    assert len({str(response.json()["predictions"]) for response in paid}) == 1
    assert {response.json()["credits_balance"] for response in paid} == {"99"}
    assert api.balance == 99


def test_a_retry_gets_the_stored_answer_free_and_marked(api: Api) -> None:
    first = api.score(key="order-1")
    again = api.score(key="order-1")
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] == "order-1"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json() == again.json()
    assert api.balance == 99


def test_a_replay_shows_the_balance_of_now(api: Api) -> None:
    first = api.score(key="order-1").json()
    api.score(body([APP, APP]))
    again = api.score(key="order-1").json()
    assert again == {**first, "credits_balance": "97"}


def test_an_answer_names_the_key_that_a_retry_can_use(api: Api) -> None:
    first = api.score()
    again = api.score(key=first.headers["idempotency-key"])
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert api.balance == 99


def test_the_same_key_with_another_body_422(api: Api) -> None:
    api.score(key="order-1")
    other = api.score(body([["INTERNET"]]), key="order-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")
    assert api.balance == 99


def test_the_same_key_of_two_accounts_is_two_charges(make_api: Any) -> None:
    anna, boris = make_api("10"), make_api("10")
    answers = [each.score(key="order-1").json() for each in (anna, boris)]
    assert answers[0]["id"] != answers[1]["id"]
    assert (anna.balance, boris.balance) == (9, 9)


def test_a_paid_answer_is_replayed_to_an_account_that_is_broke_since(make_api: Any) -> None:
    api = make_api("1")
    first = api.score(key="order-1").json()
    assert api.score().status_code == 402
    assert api.score(key="order-1").json() == first


def test_a_stored_answer_can_be_fetched_by_its_own_account_alone(make_api: Any) -> None:
    anna, boris = make_api("10"), make_api("10")
    answer = anna.score().json()
    fetched = anna.client.get(f"/v1/predictions/{answer['id']}")
    assert fetched.json() == answer
    assert boris.client.get(f"/v1/predictions/{answer['id']}").status_code == 404
    assert anna.client.get(f"/v1/predictions/{uuid.uuid4()}").status_code == 404
    assert anna.client.get("/v1/predictions/nonsense").status_code == 404


def test_a_client_that_goes_away_can_fetch_what_it_paid_for(api: Api) -> None:
    for number in range(20):
        timeout = httpx.Timeout(5, read=0.002)
        try:
            api.client.post(
                "/v1/predictions",
                json=body(),
                headers={"Idempotency-Key": f"lost-{number}"},
                timeout=timeout,
            )
        except httpx.ReadTimeout:
            continue
    answers = [fetch_until_answered(api, f"lost-{number}") for number in range(20)]
    assert statuses(answers) == {200: 20}
    assert api.balance == 80


def test_killed_scorers_lose_and_double_nothing(product: Product, make_api: Any) -> None:
    assert_a_kill_loses_and_doubles_nothing(
        product, make_api("5000"), lambda: kill(product, "LightGBMScorer")
    )


def test_a_killed_billing_replica_loses_and_doubles_nothing(
    product: Product, make_api: Any
) -> None:
    assert_a_kill_loses_and_doubles_nothing(
        product, make_api("5000"), lambda: kill(product, "Billing")
    )


def test_a_killed_postgres_loses_and_doubles_nothing(product: Product, make_api: Any) -> None:
    """`kill -9` of a backend makes PostgreSQL recover from its log, all connections lost."""
    assert_a_kill_loses_and_doubles_nothing(
        product, make_api("5000"), lambda: kill_postgres_backend(product)
    )


def test_the_ledger_reconciles_after_all_this(product: Product) -> None:
    done = product.run("reconcile")
    assert "the ledger is clean" in done.stdout


def assert_a_kill_loses_and_doubles_nothing(
    product: Product, api: Api, strike: Callable[[], None]
) -> None:
    """Keyed requests while something dies; then each key again: one charge each, all answered."""
    keys = [hashlib.sha256(f"{strike}{number}".encode()).hexdigest() for number in range(150)]
    first: dict[str, dict[str, Any]] = {}

    def send_all() -> None:
        for key in keys:
            try:
                response = api.score(key=key)
            except httpx.HTTPError:
                continue
            if response.status_code == 200:
                first[key] = response.json()

    with in_background(send_all):
        time.sleep(0.3)
        strike()
    wait_until_ready(product)
    again = {key: fetch_until_answered(api, key).json() for key in keys}
    assert {key: again[key]["id"] for key in first} == {key: first[key]["id"] for key in first}
    assert len({answer["id"] for answer in again.values()}) == len(keys)
    assert api.balance == 5000 - len(keys)


def fetch_until_answered(api: Api, key: str, seconds: float = 60) -> httpx.Response:
    """Retry as a client should: the same key and body until it is answered."""
    deadline = time.monotonic() + seconds
    while True:
        response = api.score(key=key)
        if response.status_code == 200:
            return response
        assert response.status_code in (409, 429, 500, 503), response.text
        assert time.monotonic() < deadline, response.text
        time.sleep(0.2)


def wait_until_ready(product: Product, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not httpx.get(f"{product.base_url}/readyz", timeout=30).is_success:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@contextmanager
def in_background(work: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def kill(product: Product, deployment: str) -> None:
    """`kill -9` every replica of a deployment."""
    replicas = product.processes(f"ServeReplica:scoring:{deployment}")
    assert replicas
    for replica in replicas:
        replica.kill()


def kill_postgres_backend(product: Product) -> None:
    postmaster = psutil.Process(product.record["postmaster"]["pid"])
    backends = [
        each
        for each in postmaster.children()
        if "farebox_app" in each.cmdline()[0] or "postgres: postgres" in each.cmdline()[0]
    ]
    assert backends
    backends[0].kill()
