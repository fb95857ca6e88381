"""What clients see: answers, and what bad input gets. Nothing refused is charged."""

from __future__ import annotations

import asyncio
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.api import APP, PREDICTIONS, Api, body
from tests.support.product import Product

FEATURES = 241
WAITING_SECONDS_MAX = 8.0
"""Long enough for a burst to arrive, below the deadline of what waits."""


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["request_id"] == response.headers["x-request-id"]
    assert uuid.UUID(response.headers["idempotency-key"])
    return problem


def test_an_app_is_scored_and_one_credit_is_charged(api: Api) -> None:
    response = api.score()
    assert response.status_code == 200, response.text
    answer = response.json()
    assert list(answer) == [
        "id",
        "model",
        "version",
        "predictions",
        "credits_charged",
        "credits_balance",
    ]
    assert uuid.UUID(answer["id"])
    assert (answer["model"], answer["version"]) == ("android-malware", "1")
    assert answer["predictions"][0]["label"] in ("malware", "goodware")
    assert 0 <= answer["predictions"][0]["probability"] <= 1
    assert (answer["credits_charged"], answer["credits_balance"]) == ("1", "99")
    assert api.balance == 99


def test_the_three_forms_of_an_instance_are_scored_alike(api: Api) -> None:
    names = api.client.get("/v1/models").json()["models"][0]["features"]
    dense = [int(name in APP) for name in names]
    permissions = [f"android.permission.{name}" for name in APP]
    answer = api.score(body([APP, dict.fromkeys(APP, 1), dense, permissions])).json()
    assert len({each["probability"] for each in answer["predictions"]}) == 1
    assert answer["credits_charged"] == "4"


def test_packed_rows_are_scored_as_their_names_and_answered_packed(api: Api) -> None:
    names = api.client.get("/v1/models").json()["models"][0]["features"]
    rows = np.array([[name in APP for name in names], [False] * len(names)])
    expected = [each["probability"] for each in api.score(body([APP, []])).json()["predictions"]]
    response = api.client.post(
        PREDICTIONS,
        params={"model": "android-malware"},
        content=np.packbits(rows, axis=1).tobytes(),
        headers={
            "Content-Type": "application/octet-stream; layout=bits",
            "Accept": "application/octet-stream",
        },
    )
    assert response.status_code == 200, response.text
    assert np.frombuffer(response.content, dtype="<f8").tolist() == expected
    assert response.headers["farebox-credits-charged"] == "2"
    assert response.headers["farebox-credits-balance"] == "96"
    assert api.balance == 96


def test_predictions_come_in_the_order_of_the_instances(api: Api) -> None:
    suspicious = ["SEND_SMS", "RECEIVE_SMS", "READ_PHONE_STATE", "RECEIVE_BOOT_COMPLETED"]
    apart = [api.score(body([each])).json()["predictions"][0] for each in (suspicious, [])]
    together = api.score(body([suspicious, [], suspicious])).json()["predictions"]
    assert together == [apart[0], apart[1], apart[0]]
    assert apart[0] != apart[1]


def test_a_request_takes_1024_instances_and_not_one_more(make_api: Any) -> None:
    api = make_api("2000")
    answer = api.score(body([[0] * FEATURES] * 1024)).json()
    assert len(answer["predictions"]) == 1024
    assert answer["credits_charged"] == "1024"
    problem = assert_problem(api.score(body([[]] * 1025)), 422, "invalid_request")
    assert problem["errors"][0]["pointer"] == "/instances"
    assert api.balance == 2000 - 1024


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer fb_live_nonsense",
        "Basic dXNlcjpwYXNz",
        "Bearer fb_live_abcdefabcdef_0123456789abcdefghijklmnopqrstuvwxyzABCD_000000",
    ],
)
def test_without_a_good_key_401(product: Product, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = httpx.post(product.base_url + PREDICTIONS, json=body(), headers=headers)
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_key_is_refused_by_every_replica_within_a_second(
    product: Product, make_api: Any
) -> None:
    api = make_api("100")
    assert [api.score().status_code for _ in range(8)] == [200] * 8  # both replicas know the key
    product.run("keys", "revoke", api.key)
    refused = [response.status_code for response in api.score_at_once(20)]
    assert refused == [401] * 20


def test_an_unknown_model_or_version_404(api: Api) -> None:
    problem = assert_problem(api.score(body(model="android-malwar")), 404, "model_not_found")
    assert "android-malware" in problem["detail"]
    assert_problem(api.score({**body(), "version": "999"}), 404, "version_not_found")
    assert api.balance == 100


def test_a_version_can_be_named(api: Api) -> None:
    assert api.score({**body(), "version": "1"}).json()["version"] == "1"


@pytest.mark.parametrize("path", ["/nothing", "/v1/prediction", "/v1/predictions/", "/v1"])
def test_an_unknown_route_404(api: Api, path: str) -> None:
    assert_problem(api.client.post(path, json=body()), 404, "route_not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PREDICTIONS), ("DELETE", PREDICTIONS), ("POST", "/v1/account")]
)
def test_a_wrong_method_405_names_the_right_ones(api: Api, method: str, path: str) -> None:
    response = api.client.request(method, path)
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] in ("POST", "GET")


def test_a_body_over_the_bound_413(api: Api) -> None:
    response = api.client.post(
        PREDICTIONS,
        content=b" " * (8 * 1024 * 1024 + 1),
        headers={"Content-Type": "application/json"},
    )
    assert_problem(response, 413, "body_too_large")


def test_a_body_over_the_bound_413_also_when_its_length_was_not_declared(api: Api) -> None:
    chunks = (b" " * 65_536 for _ in range(130))
    response = api.client.post(
        PREDICTIONS, content=chunks, headers={"Content-Type": "application/json"}
    )
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_other_than_json_415(api: Api, headers: dict[str, str]) -> None:
    response = api.client.post(PREDICTIONS, content=b"{}", headers=headers)
    assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("content", "code", "pointer"),
    [
        (b"not json", "invalid_json", ""),
        (b'{"model": "android-malware", "instances": [[NaN]]}', "invalid_json", ""),
        (b"[]", "invalid_request", ""),
        (
            b'{"model": "android-malware", "instances": [["SEND_SMZ"]]}',
            "invalid_request",
            "/instances/0/0",
        ),
        (
            b'{"model": "android-malware", "instances": [{"SEND_SMS": 2}]}',
            "invalid_request",
            "/instances/0/SEND_SMS",
        ),
        (
            b'{"model": "android-malware", "instances": [[], [0, 1]]}',
            "invalid_request",
            "/instances/1",
        ),
        (
            b'{"model": "android-malware", "instances": [["SEND_SMS", "SEND_SMS"]]}',
            "invalid_request",
            "/instances/0/1",
        ),
    ],
)
def test_bad_bodies_422_with_a_pointer(api: Api, content: bytes, code: str, pointer: str) -> None:
    response = api.client.post(
        PREDICTIONS, content=content, headers={"Content-Type": "application/json"}
    )
    problem = assert_problem(response, 422, code)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert api.balance == 100


def test_one_bad_instance_refuses_the_request_as_a_whole(api: Api) -> None:
    assert_problem(api.score(body([APP, ["NO_SUCH_FEATURE"], APP])), 422, "invalid_request")
    assert api.balance == 100


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_malformed_idempotency_key_422(api: Api, key: str) -> None:
    response = api.client.post(
        PREDICTIONS, json=body(), headers=[(b"Idempotency-Key", key.encode("latin-1"))]
    )
    assert_problem(response, 422, "invalid_idempotency_key")
    assert api.balance == 100


def test_a_model_that_fails_500_charges_nothing_and_shows_no_traceback(api: Api) -> None:
    response = api.score(body([["POISON"]], model="fragile"))
    problem = assert_problem(response, 500, "prediction_failed")
    assert "Traceback" not in response.text
    assert "Instances it failed on: 0" in problem["detail"]
    assert api.balance == 100


def test_a_failing_request_is_not_charged_and_the_requests_beside_it_are(make_api: Any) -> None:
    poisoned, healthy = make_api("100"), make_api("100")

    async def race() -> list[httpx.Response]:
        headers = [{"Authorization": f"Bearer {api.key}"} for api in (poisoned, healthy)]
        payloads = [body([["POISON"]], model="fragile"), body([[]], model="fragile")]
        limits = httpx.Limits(max_connections=40)
        async with httpx.AsyncClient(
            base_url=healthy.base_url, timeout=30, limits=limits, trust_env=False
        ) as client:
            return await asyncio.gather(
                *(
                    client.post(PREDICTIONS, json=payloads[n % 2], headers=headers[n % 2])
                    for n in range(40)
                )
            )

    responses = asyncio.run(race())
    assert [response.status_code for response in responses] == [500, 200] * 20
    assert poisoned.balance == 100
    assert healthy.balance == 80


def test_too_much_waiting_429_with_retry_after(product: Product, make_api: Any) -> None:
    api = make_api("100000")
    rows = body([[0] * FEATURES] * 100)
    known = api.score_at_once(
        20
    )  # so that no replica has to ask billing, which stands still, for it
    assert {response.status_code for response in known} == {200}
    answered = Event()
    with ThreadPoolExecutor(1) as pool, product.suspended("Billing"):
        burst = pool.submit(api.score_at_once, 300, payload=rows, on_answer=answered.set)
        assert answered.wait(WAITING_SECONDS_MAX)
    responses = burst.result()
    refused = [response for response in responses if response.status_code != 200]
    assert refused, "nothing was refused: the bounds of this cluster are 64 requests an account"
    for response in refused:
        assert_problem(response, 429, response.json()["code"])
        assert response.json()["code"] in ("queue_full", "account_queue_full")
        assert int(response.headers["retry-after"]) >= 1
    assert api.balance == 100_000 - len(known) - 100 * (len(responses) - len(refused))


def test_models_list_schema_and_price(product: Product) -> None:
    models = httpx.get(f"{product.base_url}/v1/models").json()["models"]
    malware = next(each for each in models if each["name"] == "android-malware")
    assert len(malware["features"]) == FEATURES
    assert malware["price_per_instance"] == "1"
    assert malware["default"] is True
    assert 0 < malware["threshold"] < 1


def test_the_price_is_taken_from_the_database_at_once(product: Product, api: Api) -> None:
    product.run("prices", "set", "fragile", "--credits", "0.5")
    answer = api.score(body([[], []], model="fragile")).json()
    assert (answer["credits_charged"], answer["credits_balance"]) == ("1", "99")
    answer = api.score(body([[]], model="fragile")).json()
    assert (answer["credits_charged"], answer["credits_balance"]) == ("0.5", "98.5")


def test_every_answer_of_a_replica_carries_request_id_and_idempotency_key(api: Api) -> None:
    for path in ("/healthz", "/readyz", "/v1/models", "/v1/account", "/openapi.json", "/docs"):
        response = api.client.get(path)
        assert response.status_code == 200, path
        assert response.headers["x-request-id"]
        assert response.headers["idempotency-key"]


def test_a_request_id_of_the_client_is_taken_and_a_wild_one_is_not(api: Api) -> None:
    response = api.score(None, None, **{"X-Request-Id": "order-42"})
    assert response.headers.get_list("x-request-id") == ["order-42"]
    wild = api.score(None, None, **{"X-Request-Id": "x" * 500})
    assert re.fullmatch(r"[!-~]{1,128}", wild.headers["x-request-id"])


def test_the_docs_page_needs_no_other_host(product: Product) -> None:
    page = httpx.get(f"{product.base_url}/docs").text
    assert "https://" not in page
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert httpx.get(product.base_url + asset).status_code == 200, asset
