"""What contributed to a prediction, as clients see it: right, paid once, apart from plain ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import numpy as np
import pytest
from lightgbm import Booster

from models.registry import ARTIFACTS_ROOT, artifact_folder, read_catalog
from tests.support.api import APP, PREDICTIONS, Api, body
from tests.support.product import Product

MANIFEST = read_catalog(ARTIFACTS_ROOT).find("android-malware", "1")
NAMES = MANIFEST.feature_schema.names
EACH = Decimal("1.25")
"""A prediction for 1, explained for 0.25 more."""
BITS = "application/octet-stream; layout=bits"


@pytest.fixture(scope="module", autouse=True)
def _price(product: Product) -> None:
    product.run(
        *("prices", "set", MANIFEST.name, "--credits", "0.25", "--operation", "explain"),
    )


@pytest.fixture(scope="module")
def booster() -> Booster:
    folder = artifact_folder(ARTIFACTS_ROOT, MANIFEST.name, MANIFEST.version)
    return Booster(model_file=str(folder / MANIFEST.artifact.file))


def explained(*instances: Any, model: str = MANIFEST.name, **fields: Any) -> dict[str, Any]:
    return {**body(instances or (APP,), model), "version": "1", "explain": True, **fields}


def matrix_of(instances: list[list[str]]) -> np.ndarray[Any, Any]:
    return np.array([[name in each for name in NAMES] for each in instances], dtype=np.uint8)


def make_apps(count: int, seed: int) -> list[list[str]]:
    drawn = np.random.default_rng(seed).random((count, len(NAMES))) < 0.1
    return [[NAMES[column] for column in np.flatnonzero(row)] for row in drawn]


def ask_why(api: Api, paid: dict[str, Any], instance: int) -> httpx.Response:
    url = f"{PREDICTIONS}/{paid['id']}/explanation"
    return api.client.get(url, params={"instance": instance})


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code
    return problem


def test_contributions_are_lightgbms_own_and_add_up(api: Api, booster: Booster) -> None:
    apps = make_apps(64, seed=1)
    predictions = api.score(explained(*apps)).raise_for_status().json()["predictions"]
    matrix = matrix_of(apps)
    raw_scores = np.asarray(booster.predict(matrix, raw_score=True))
    probabilities = np.asarray(booster.predict(matrix))
    contributions = np.asarray(booster.predict(matrix, pred_contrib=True))
    assert len(predictions) == 64
    for row, prediction in enumerate(predictions):
        told = prediction["explanation"]
        columns = [NAMES.index(each["feature"]) for each in told["contributions"]]
        shown = [each["contribution"] for each in told["contributions"]]
        assert told["base"] + sum(shown) + told["rest"] == pytest.approx(raw_scores[row], abs=1e-6)
        assert told["raw_score"] == pytest.approx(raw_scores[row], abs=1e-6)
        assert prediction["probability"] == pytest.approx(probabilities[row], abs=1e-6)
        assert shown == pytest.approx(contributions[row, columns].tolist(), abs=1e-9)
        assert [each["value"] for each in told["contributions"]] == matrix[row, columns].tolist()
        assert len(columns) == 10
        left_out = np.delete(np.abs(contributions[row, :-1]), columns)
        assert left_out.max() <= min(map(abs, shown)) + 1e-9


def test_prediction_and_explanation_are_charged_together_once(api: Api) -> None:
    answer = api.score(explained(APP, [], APP)).raise_for_status().json()
    assert Decimal(answer["credits_charged"]) == 3 * EACH
    assert api.balance == 100 - 3 * EACH
    assert api.score(body([APP])).json()["credits_charged"] == "1"
    model = next(
        each
        for each in api.client.get("/v1/models").json()["models"]
        if (each["name"], each["version"]) == (MANIFEST.name, "1")
    )
    assert (model["price_per_instance"], model["explanation_price_per_instance"]) == ("1", "0.25")


def test_a_retry_is_the_same_to_the_last_byte_and_free(api: Api) -> None:
    payload = explained(APP, [])
    first, *others = api.score_at_once(4, "k", payload), api.score(payload, "k")
    paid = [each for each in first if each.status_code == 200]
    assert paid
    assert {each.status_code for each in first} <= {200, 409}
    assert {each.content for each in [*paid, *others]} == {paid[0].content}
    assert others[0].headers["idempotency-replayed"] == "true"
    stored = api.client.get(f"{PREDICTIONS}/{paid[0].json()['id']}")
    assert stored.content == paid[0].content
    assert api.balance == 100 - 2 * EACH


def test_packed_rows_are_explained_too_and_bytes_are_refused(api: Api) -> None:
    content = np.packbits(matrix_of([APP, []]), axis=1).tobytes()
    query = {"model": MANIFEST.name, "version": "1", "explain": "true"}
    headers = {"Content-Type": BITS}
    packed = api.client.post(PREDICTIONS, params=query, content=content, headers=headers)
    as_json = api.score(explained(APP, []))
    assert packed.json()["predictions"] == as_json.json()["predictions"]
    headers["Accept"] = "application/octet-stream"
    refused = api.client.post(PREDICTIONS, params=query, content=content, headers=headers)
    assert_problem(refused, 406, "not_acceptable")
    assert api.balance == 100 - 4 * EACH


def test_no_more_than_64_instances_are_explained_at_once(api: Api) -> None:
    problem = assert_problem(api.score(explained(*[APP] * 65)), 422, "invalid_request")
    assert problem["errors"][0]["pointer"] == "/instances"
    assert_problem(api.score(explained(explain="yes")), 422, "invalid_request")
    assert api.balance == 100


def test_a_kind_that_cannot_explain_says_so_and_predicts(api: Api) -> None:
    plain = body([["SEND_SMS"]], model="linear")
    assert_problem(api.score({**plain, "explain": True}), 422, "explanation_unsupported")
    assert api.balance == 100
    [prediction] = api.score(plain).raise_for_status().json()["predictions"]
    assert prediction["probability"] == pytest.approx(0.880797, abs=1e-6)
    models = api.client.get("/v1/models").json()["models"]
    [linear] = [each for each in models if each["name"] == "linear"]
    assert linear["explanation_price_per_instance"] is None


def test_a_prediction_that_cannot_be_explained_is_not_charged(api: Api) -> None:
    """The fragile model's contributions are NaN, whatever it predicts."""
    fragile = body([["SEND_SMS"]], model="fragile")
    assert_problem(api.score({**fragile, "explain": True}), 500, "prediction_failed")
    assert api.balance == 100
    assert api.score(fragile).status_code == 200


def test_one_instance_of_a_stored_prediction_is_explained_free(api: Api) -> None:
    apps = make_apps(3, seed=3)
    plain = api.score({**body(apps), "version": "1"}).raise_for_status().json()
    expected = api.score(explained(*apps)).raise_for_status().json()
    before = api.balance
    for number, prediction in enumerate(expected["predictions"]):
        told = ask_why(api, plain, number).raise_for_status().json()
        assert told["prediction"] == prediction
        assert (told["id"], told["version"], told["instance"]) == (plain["id"], "1", number)
        assert ask_why(api, expected, number).json()["prediction"] == prediction
    assert api.balance == before
    problem = assert_problem(ask_why(api, plain, 3), 422, "invalid_request")
    assert "3 instances" in problem["detail"]


def test_a_stored_prediction_that_cannot_be_explained_says_why_not(api: Api, make_api: Any) -> None:
    """The fragile model's contributions are NaN, whatever it predicts."""
    linear = api.score(body([["SEND_SMS"]], model="linear")).json()
    assert_problem(ask_why(api, linear, 0), 422, "explanation_unsupported")
    fragile = api.score(body([["SEND_SMS"]], model="fragile")).json()
    assert_problem(ask_why(api, fragile, 0), 500, "prediction_failed")
    assert_problem(ask_why(make_api("0"), linear, 0), 404, "prediction_not_found")


def test_plain_requests_beside_explained_ones_are_what_they_were(make_api: Any) -> None:
    api = make_api("1000")
    apps = make_apps(40, seed=2)
    alone = [api.score(body([app])).raise_for_status().json()["predictions"] for app in apps]
    before = api.balance

    def ask(number: int) -> httpx.Response:
        app = apps[number % 40]
        return api.score(explained(app) if number % 3 == 0 else body([app]))

    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(ask, range(120)))
    assert {answer.status_code for answer in answers} == {200}
    for number, answer in enumerate(answers):
        [found] = answer.json()["predictions"]
        assert ("explanation" in found) == (number % 3 == 0)
        found.pop("explanation", None)
        assert [found] == alone[number % 40]
    assert before - api.balance == 40 * EACH + 80
