"""The document of all routes is sound, complete and true to what the routes answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from billing.api_keys.values import Scope
from billing.credits import Credits
from serve.errors import PROBLEMS
from serve.pipeline import ROUTE
from serve.refusals import Code
from tests.support.asgi import PREDICTIONS, Reply, call, post
from tests.support.documents import assert_documented
from tests.support.fragile_model import FEATURES
from tests.support.serving import (
    ANNA,
    GOOD_ROW,
    POISON_ROW,
    Models,
    Replica,
    make_body,
    make_key,
    make_replica,
)
from tests.support.troubles import lose_ledger, remove_prices

pytestmark = pytest.mark.anyio

JSON = "application/json"
PACKED = "application/octet-stream"
PROBLEM = "application/problem+json"
OPERATION_MEMBERS = {
    "summary",
    "description",
    "operationId",
    "tags",
    "parameters",
    "requestBody",
    "responses",
    "security",
}
NOT_OF_SCORING = {
    Code.BAD_SIGNATURE,
    Code.PREDICTION_NOT_FOUND,
    Code.ROUTE_NOT_FOUND,
    Code.METHOD_NOT_ALLOWED,
}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def nested(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from nested(each)


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


async def test_the_document_is_openapi_in_its_outer_form(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"]
    assert set(document) <= {"openapi", "info", "paths", "components"}
    for path, method, operation in operations(document):
        assert path.startswith("/")
        assert method in {"get", "post"}
        assert set(operation) <= OPERATION_MEMBERS
        assert operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"]
            assert set(response) <= {"description", "headers", "content"}


async def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


async def test_every_parameter_of_a_path_is_declared(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        declared = [each for each in operation.get("parameters", []) if each["in"] == "path"]
        assert {each["name"] for each in declared} == set(re.findall(r"{(\w+)}", path)), path
        assert all(each["required"] and each["schema"] for each in declared)


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = [each["$ref"] for each in nested(document) if "$ref" in each]
    assert references
    for reference in references:
        assert isinstance(resolve(document, reference), dict), reference


async def test_every_schema_is_a_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for each in nested(document["paths"]):
        if "schema" in each:
            Draft202012Validator.check_schema(each["schema"])


async def test_every_schema_is_used(document: dict[str, Any]) -> None:
    used = {each["$ref"].rpartition("/")[2] for each in nested(document) if "$ref" in each}
    assert used == set(document["components"]["schemas"])


async def test_frameworks_own_errors_are_not_documented(document: dict[str, Any]) -> None:
    assert "ValidationError" not in str(document)


async def test_security_schemes_are_declared(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    for path, _, operation in operations(document):
        named = {name for each in operation.get("security", []) for name in each}
        assert named <= set(schemes)
        assert bool(named) == ("401" in operation["responses"]), path


def code_of(reply: Reply) -> str | None:
    """The code of an error, in the form of either protocol."""
    if "farebox-code" in reply.headers:
        return reply.headers["farebox-code"]
    said: Any = reply.json
    return said.get("code") if isinstance(said, dict) else None


async def test_every_documented_route_answers_and_no_other_does(
    replica: Replica, document: dict[str, Any]
) -> None:
    documented = {(path, method.upper()) for path, method, _ in operations(document)}
    candidates = {path for path, _ in documented} | {"/", "/v1", "/redoc", "/metrics", "/accounts"}
    answering = set()
    for path in candidates:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            reply = await call(replica.app, path.replace("{id}", "x"), method)
            if code_of(reply) not in ("route_not_found", "method_not_allowed"):
                answering.add((path, method))
    assert answering == documented


async def test_every_refusal_of_scoring_is_documented(document: dict[str, Any]) -> None:
    documented = set(document["paths"][ROUTE]["post"]["responses"])
    can_happen = {str(PROBLEMS[code].status) for code in set(Code) - NOT_OF_SCORING}
    assert documented == {"200"} | can_happen


async def test_an_answer_to_scoring_is_as_documented(
    replica: Replica, document: dict[str, Any]
) -> None:
    reply = await post(replica.app, replica.anna, make_body(GOOD_ROW, []))
    assert reply.status == 200
    assert_documented(document, PREDICTIONS, "POST", reply)


def documented_headers(document: dict[str, Any], *, packed: bool) -> set[str]:
    """Names of a paid answer's headers; those of packed answers only where it is `packed`."""
    headers = document["paths"][ROUTE]["post"]["responses"]["200"]["headers"]
    names = {name.lower() for name in headers}
    return {name for name in names if packed or not name.startswith("farebox-")}


@pytest.mark.parametrize("accept", [JSON, PACKED])
@pytest.mark.parametrize("layout", ["bits", "bytes"])
async def test_a_packed_exchange_is_as_documented(
    replica: Replica, document: dict[str, Any], layout: str, accept: str
) -> None:
    operation = document["paths"][ROUTE]["post"]
    assert (
        f"{PACKED}; layout={layout}"
        in (operation["requestBody"]["content"][PACKED]["schema"]["description"])
    )
    row = np.array([[name == "SEND_SMS" for name in FEATURES]], dtype=np.uint8)
    body = (np.packbits(row, axis=1) if layout == "bits" else row).tobytes()
    replies = [
        await post(
            replica.app,
            replica.anna,
            body,
            query="model=fragile&version=1",
            content_type=f"{PACKED}; layout={layout}",
            accept=accept,
            idempotency_key="k",
        )
        for _ in range(2)
    ]
    for reply in replies:
        assert (reply.status, reply.headers["content-type"]) == (200, accept)
        assert accept in operation["responses"]["200"]["content"]
    if accept == JSON:
        assert_documented(document, PREDICTIONS, "POST", replies[1])
    sent = replies[1].headers.keys() - {"content-type", "content-length"}
    by_the_server = {"x-request-id"}
    assert sent | by_the_server == documented_headers(document, packed=accept == PACKED)


async def test_the_documented_query_is_what_packed_rows_take(
    replica: Replica, document: dict[str, Any]
) -> None:
    parameters = document["paths"][ROUTE]["post"]["parameters"]
    documented = {each["name"] for each in parameters if each["in"] == "query"}
    candidates = {
        "model": "fragile",
        "version": "1",
        "explain": "false",
        "layout": "bits",
        "instances": "1",
    }
    taken = set()
    for name, value in candidates.items():
        query = urlencode({"model": "fragile"} | {name: value})
        reply = await post(
            replica.app, replica.anna, b"\0", query=query, content_type=f"{PACKED}; layout=bits"
        )
        taken |= {name} if reply.status == 200 else set()
    assert taken == documented


async def test_the_documented_example_is_a_valid_request(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["PredictionRequest"]
    for example in schema["examples"]:
        Draft202012Validator(schema).validate(example)


@pytest.mark.parametrize(
    ("instance", "is_valid"),
    [(GOOD_ROW, True), ([0, 1, 0], True), ({"INTERNET": 1}, True), ([2], False), ("x", False)],
)
async def test_the_documented_request_is_what_is_taken(
    document: dict[str, Any], replica: Replica, instance: object, is_valid: bool
) -> None:
    schema = document["components"]["schemas"]["PredictionRequest"]
    payload = {"model": "fragile", "instances": [instance]}
    assert Draft202012Validator(schema).is_valid(payload) is is_valid
    reply = await post(replica.app, replica.anna, make_body(instance))
    assert (reply.status == 200) is is_valid


def break_model(replica: Replica) -> None:
    replica.scorer.failure = ZeroDivisionError()


def reach_cap(replica: Replica) -> None:
    replica.ledger.cap(make_key(ANNA.int).id, Credits(0))


def only_read(replica: Replica) -> None:
    replica.accounts.open_account(ANNA, frozenset({Scope.READ}))


REFUSALS: list[tuple[int, bytes, dict[str, str], Callable[[Replica], None] | None]] = [
    (401, make_body(), {"authorization": "Bearer x"}, None),
    (402, make_body(*[GOOD_ROW] * 101), {}, None),
    (402, make_body(), {}, reach_cap),
    (403, make_body(), {}, only_read),
    (404, make_body(model="none"), {}, None),
    (413, make_body().ljust(9000), {}, None),
    (415, make_body(), {"content_type": "text/csv"}, None),
    (415, b"\0", {"content_type": PACKED}, None),
    (422, b"\0", {"content_type": f"{PACKED}; layout=bits"}, None),
    (422, b"{", {}, None),
    (422, make_body(["SEND_SM"], 7, [0, 2, 0]), {}, None),
    (422, make_body(), {"idempotency_key": "a b"}, None),
    (429, make_body(*[GOOD_ROW] * 6), {}, None),
    (500, make_body(POISON_ROW), {}, None),
    (500, make_body(), {}, break_model),
    (503, make_body(), {}, lose_ledger),
    (503, make_body(), {}, remove_prices),
]


@pytest.mark.parametrize(("status", "body", "headers", "trouble"), REFUSALS)
async def test_a_refusal_is_as_documented(
    models: Models,
    status: int,
    body: bytes,
    headers: dict[str, str],
    trouble: Callable[[Replica], None] | None,
) -> None:
    replica = make_replica(models, body_bytes_max=8192)
    if trouble:
        trouble(replica)
    if status == 429:
        replica.pipeline.batcher.config = replica.pipeline.batcher.config.model_copy(
            update={"queue_rows_max": 5}
        )
    authorization = headers.pop("authorization", replica.anna)
    reply = await post(replica.app, authorization, body, **headers)
    assert reply.status == status
    assert_documented(replica.api.openapi(), PREDICTIONS, "POST", reply)
