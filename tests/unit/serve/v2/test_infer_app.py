"""Infer over REST on a replica: charged once, refused in the protocol's form."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from serve.scoring_protocol import SHORTCUT, ScoringProtocol
from tests.support.asgi import Reply, call
from tests.support.fragile_model import NAME
from tests.support.scoring_server import make_request, serve
from tests.support.serving import Replica, make_body

pytestmark = pytest.mark.anyio

PATH = f"/v2/models/{NAME}/infer"
SEND_SMS, INTERNET = [0, 0, 1], [0, 1, 0]


def request(*rows: list[int], **fields: Any) -> bytes:
    chosen = rows or (SEND_SMS,)
    data = [value for row in chosen for value in row]
    tensor = {"name": "features", "datatype": "UINT8", "shape": [len(chosen), 3], "data": data}
    return orjson.dumps({"inputs": [tensor]} | fields)


async def infer(
    replica: Replica, body: bytes | None = None, path: str = PATH, **headers: str
) -> Reply:
    named = {"authorization": replica.anna, "content-type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in named.items() if value}
    return await call(replica.app, path, "POST", sent, body or request())


def assert_error(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, list(reply.json)) == (status, ["error"])
    assert reply.json["error"].startswith(f"{code}: ")
    assert reply.headers["farebox-code"] == code
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["idempotency-key"]


async def test_rows_are_answered_as_v1_answers_them(replica: Replica) -> None:
    reply = await infer(replica, request(SEND_SMS, INTERNET, id="seven"))
    v1 = await call(
        replica.app,
        "/v1/predictions",
        "POST",
        {"authorization": replica.anna, "content-type": "application/json"},
        make_body(["SEND_SMS"], ["INTERNET"]),
    )
    said = reply.json
    assert (reply.status, said["model_name"], said["id"]) == (200, NAME, "seven")
    columns = {each["name"]: each["data"] for each in said["outputs"]}
    predictions = v1.json["predictions"]
    assert columns["probability"] == [each["probability"] for each in predictions]
    assert columns["label"] == [each["label"] for each in predictions]
    assert said["parameters"]["credits_charged"] == "2"
    assert said["parameters"]["credits_balance"] == "98"
    assert replica.seen.outcomes == ["charged", "charged"]


@pytest.mark.parametrize("rows", [1, 16, 17, 40])
async def test_bytes_say_what_json_says(replica: Replica, rows: int) -> None:
    chosen = ([SEND_SMS, INTERNET] * rows)[:rows]
    plain = await infer(replica, request(*chosen))
    packed = await infer(replica, request(*chosen, parameters={"binary_data_output": True}))
    length = int(packed.headers["inference-header-content-length"])
    assert packed.headers["content-type"] == "application/octet-stream"
    said, tail = orjson.loads(packed.body[:length]), packed.body[length:]
    probability, label = plain.json["outputs"]
    size = said["outputs"][0]["parameters"]["binary_data_size"]
    assert np.frombuffer(tail[:size], dtype="<f8").tolist() == probability["data"]
    texts, read = tail[size:], []
    while texts:
        end = 4 + int.from_bytes(texts[:4], "little")
        read.append(texts[4:end].decode())
        texts = texts[end:]
    assert read == label["data"]


async def test_the_same_key_is_charged_once_however_the_rows_are_sent(replica: Replica) -> None:
    first = await infer(replica, request(id="a"), idempotency_key="k")
    tensor = {"name": "features", "datatype": "FP64", "shape": [1, 3]}
    head = orjson.dumps(
        {
            "parameters": {"idempotency_key": "k"},
            "inputs": [{**tensor, "parameters": {"binary_data_size": 24}}],
            "outputs": [{"name": "label"}],
        }
    )
    again = await infer(
        replica,
        head + np.array(SEND_SMS, dtype="<f8").tobytes(),
        inference_header_content_length=str(len(head)),
        content_type="application/octet-stream",
    )
    assert again.status == 200
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json["parameters"]["idempotency_replayed"] is True
    assert again.json["parameters"]["prediction_id"] == first.json["parameters"]["prediction_id"]
    assert "id" not in again.json
    assert await replica.balance() == "99"


async def test_a_key_with_other_rows_is_a_conflict(replica: Replica) -> None:
    await infer(replica, request(SEND_SMS), idempotency_key="k")
    conflict = await infer(replica, request(INTERNET), idempotency_key="k")
    assert_error(conflict, 422, "idempotency_key_conflict")
    assert conflict.headers["idempotency-key"] == "k"
    assert await replica.balance() == "99"


async def test_a_key_on_v1_is_another_charge(replica: Replica) -> None:
    await infer(replica, request(SEND_SMS), idempotency_key="k")
    await replica.score(make_body(["SEND_SMS"]), key="k")
    assert await replica.balance() == "98"


async def test_two_different_keys_are_refused(replica: Replica) -> None:
    body = request(parameters={"idempotency_key": "a"})
    assert_error(await infer(replica, body, idempotency_key="b"), 422, "invalid_idempotency_key")
    assert (await infer(replica, body, idempotency_key="a")).status == 200


async def test_a_paid_answer_is_replayed_to_who_is_broke(replica: Replica) -> None:
    await infer(replica, request(*[SEND_SMS] * 100), idempotency_key="k")
    assert_error(await infer(replica), 402, "insufficient_credits")
    again = await infer(replica, request(*[SEND_SMS] * 100), idempotency_key="k")
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("status", "code", "headers"),
    [
        (401, "unauthenticated", {"authorization": ""}),
        (415, "unsupported_media_type", {"content_type": "text/plain"}),
        (415, "unsupported_media_type", {"content_encoding": "gzip"}),
        (422, "invalid_idempotency_key", {"idempotency_key": "a b"}),
        (422, "invalid_request", {"inference_header_content_length": "9999"}),
    ],
)
async def test_headers_are_refused_as_on_v1(
    replica: Replica, status: int, code: str, headers: dict[str, str]
) -> None:
    assert_error(await infer(replica, **headers), status, code)
    assert await replica.balance() == "100"


@pytest.mark.parametrize(
    ("status", "code", "path"),
    [
        (404, "model_not_found", "/v2/models/none/infer"),
        (404, "version_not_found", f"/v2/models/{NAME}/versions/9/infer"),
        (404, "model_not_found", "/v2/models/a/b/infer"),
        (200, "", f"/v2/models/{NAME}/versions/1/infer"),
    ],
)
async def test_the_path_names_the_model(
    replica: Replica, status: int, code: str, path: str
) -> None:
    reply = await infer(replica, path=path)
    if code:
        assert_error(reply, status, code)
    assert reply.status == status


async def test_a_body_without_a_media_type_is_json(replica: Replica) -> None:
    assert (await infer(replica, content_type="")).status == 200


@pytest.mark.parametrize("columns", [2, 4])
async def test_other_columns_than_the_models_are_refused(replica: Replica, columns: int) -> None:
    tensor = {"name": "features", "datatype": "INT8", "shape": [1, columns], "data": [0] * columns}
    reply = await infer(replica, orjson.dumps({"inputs": [tensor]}))
    assert_error(reply, 422, "invalid_request")
    assert "[n, 3]" in reply.json["error"]


async def test_more_rows_than_a_request_takes_are_refused(replica: Replica) -> None:
    assert_error(await infer(replica, request(*[SEND_SMS] * 1025)), 422, "invalid_request")


async def test_a_full_queue_says_when_to_come_again(replica: Replica) -> None:
    replica.pipeline.batcher.config = replica.pipeline.batcher.config.model_copy(
        update={"queue_requests_max": 0}
    )
    reply = await infer(replica)
    assert_error(reply, 429, "queue_full")
    assert reply.headers["retry-after"] == "1"


async def test_the_short_way_answers_as_asgi_does(replica: Replica) -> None:
    body = request(SEND_SMS, INTERNET)
    headers = {"authorization": replica.anna, "idempotency_key": "k", "x_request_id": "r"}
    await infer(replica, body, idempotency_key="k")
    through_asgi = await infer(replica, body, idempotency_key="k", x_request_id="r")
    async with serve(replica, ScoringProtocol) as server:
        client = await server.connect()
        ours = await client.ask(make_request(body, target=PATH, **headers))
        keyless = {"authorization": replica.anna}
        none = await client.ask(make_request(body, target="/v2/models/none/infer", **keyless))
        refused = await client.ask(make_request(body, target=PATH))
        assert server.asgi == []
    assert (ours.status, ours.body) == (200, through_asgi.body)
    assert (none.status, refused.status) == (404, 401)
    assert none.headers["farebox-code"] == "model_not_found"
    assert SHORTCUT.app is not replica.app


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/v2/health/live", 200, {"live": True}),
        ("GET", "/v2/health/ready", 200, {"ready": True}),
        ("GET", f"/v2/models/{NAME}/ready", 200, {"name": NAME, "ready": True}),
        ("GET", f"/v2/models/{NAME}/versions/1/ready", 200, {"name": NAME, "ready": True}),
        (
            "POST",
            "/v2/repository/index",
            200,
            [{"name": NAME, "version": "1", "state": "READY", "reason": ""}],
        ),
    ],
)
async def test_health_and_index_need_no_key(
    replica: Replica, method: str, path: str, status: int, said: Any
) -> None:
    reply = await call(replica.app, path, method)
    assert (reply.status, orjson.loads(reply.body)) == (status, said)


async def test_a_model_tells_its_tensors(replica: Replica) -> None:
    reply = await call(replica.app, f"/v2/models/{NAME}/versions/1")
    assert reply.json["inputs"] == [{"name": "features", "datatype": "UINT8", "shape": [-1, 3]}]
    assert [each["datatype"] for each in reply.json["outputs"]][:2] == ["FP64", "BYTES"]
    server = await call(replica.app, "/v2")
    assert (server.json["name"], server.json["extensions"]) == ("farebox", ["binary_tensor_data"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/models/none", 404, "model_not_found"),
        ("GET", f"/v2/models/{NAME}/versions/9/ready", 404, "version_not_found"),
        ("GET", "/v2/nothing", 404, "route_not_found"),
        ("GET", f"/v2/models/{NAME}/config", 404, "route_not_found"),
        ("POST", "/v2/health/live", 405, "method_not_allowed"),
    ],
)
async def test_errors_beside_infer_are_the_protocols_too(
    replica: Replica, method: str, path: str, status: int, code: str
) -> None:
    assert_error(await call(replica.app, path, method), status, code)
