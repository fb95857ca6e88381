"""The Open Inference Protocol on the running product: plain HTTP, and gRPC by our own stubs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import numpy as np
import orjson
import psutil
import pytest

from serve.v2 import inference_pb2 as pb
from serve.v2.inference_pb2_grpc import GRPCInferenceServiceStub
from tests.support.api import APP, Api, body
from tests.support.product import Product

MODEL = "android-malware"
INFER = f"/v2/models/{MODEL}/infer"
HEADER_LENGTH = "Inference-Header-Content-Length"
SECONDS = 30
LARGEST_MESSAGE_BYTES = 8 * 1024 * 1024


def dense(api: Api, *apps: list[str]) -> np.ndarray[Any, Any]:
    """Rows of zeros and ones."""
    features = api.client.get("/v1/models").json()["models"][0]["features"]
    return np.array([[name in app for name in features] for app in apps], dtype=np.uint8)


def infer(api: Api, data: Any, shape: list[int], **headers: str) -> httpx.Response:
    tensor = {"name": "features", "datatype": "UINT8", "shape": shape, "data": data}
    return api.client.post(INFER, json={"inputs": [tensor]}, headers=headers)


class Grpc:
    """A channel with a key and the stubs on it."""

    def __init__(self, product: Product, api: Api) -> None:
        self.channel = grpc.insecure_channel(product.grpc_target)
        self.stub = GRPCInferenceServiceStub(self.channel)  # type: ignore[no-untyped-call]
        self.metadata = [("application", "scoring"), ("authorization", f"Bearer {api.key}")]

    def infer(
        self, rows: np.ndarray[Any, Any], **metadata: str
    ) -> tuple[pb.ModelInferResponse, dict[str, str]]:
        """The answer to raw rows, and its trailing metadata."""
        request = pb.ModelInferRequest(model_name=MODEL, raw_input_contents=[rows.tobytes()])
        request.inputs.add(name="features", datatype="UINT8", shape=rows.shape)
        named = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        response, call = self.stub.ModelInfer.with_call(
            request, metadata=[*self.metadata, *named], timeout=SECONDS
        )
        return response, dict(call.trailing_metadata())


@pytest.fixture
def over_grpc(product: Product, api: Api) -> Iterator[Grpc]:
    connected = Grpc(product, api)
    yield connected
    connected.channel.close()


def test_json_is_answered_as_v1_answers_and_charged_the_same(api: Api) -> None:
    expected = api.score(body([APP, []])).json()
    rows = dense(api, APP, [])
    answer = infer(api, rows.tolist(), [2, 241]).json()
    tensors = {each["name"]: each for each in answer["outputs"]}
    assert tensors["probability"]["data"] == [
        each["probability"] for each in expected["predictions"]
    ]
    assert tensors["label"]["data"] == [each["label"] for each in expected["predictions"]]
    assert answer["parameters"]["credits_charged"] == expected["credits_charged"] == "2"
    assert answer["parameters"]["credits_balance"] == "96"
    assert api.balance == 96
    stored = api.client.get(f"/v1/predictions/{answer['parameters']['prediction_id']}").json()
    assert stored["predictions"] == expected["predictions"]


def test_a_thousand_rows_as_bytes_are_answered_as_bytes(make_api: Any) -> None:
    api = make_api("2000")
    rows = np.repeat(dense(api, APP), 1024, axis=0)
    head = orjson.dumps(
        {
            "parameters": {"binary_data_output": True},
            "inputs": [
                {
                    "name": "features",
                    "datatype": "UINT8",
                    "shape": [1024, 241],
                    "parameters": {"binary_data_size": rows.size},
                }
            ],
            "outputs": [{"name": "probability"}],
        }
    )
    response = api.client.post(
        INFER, content=head + rows.tobytes(), headers={HEADER_LENGTH: str(len(head))}
    )
    assert response.status_code == 200, response.text
    tail = response.content[int(response.headers[HEADER_LENGTH]) :]
    probability = api.score().json()["predictions"][0]["probability"]
    assert np.frombuffer(tail, dtype="<f8").tolist() == [probability] * 1024
    assert api.balance == 2000 - 1024 - 1


def test_the_same_rows_and_key_are_one_charge_over_rest_and_grpc(api: Api, over_grpc: Grpc) -> None:
    rows, key = dense(api, APP), str(uuid.uuid4())
    first = infer(api, rows.tolist(), [1, 241], **{"Idempotency-Key": key})
    again, trailing = over_grpc.infer(rows, idempotency_key=key)
    assert again.parameters["idempotency_replayed"].bool_param is True
    assert trailing["idempotency-key"] == first.headers["idempotency-key"] == key
    prediction_id = again.parameters["prediction_id"].string_param
    assert prediction_id == first.json()["parameters"]["prediction_id"]
    assert api.balance == 99
    with pytest.raises(grpc.RpcError) as refused:
        over_grpc.infer(1 - rows, idempotency_key=key)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert api.score(key=key).json()["credits_balance"] == "98", "a key is another charge on /v1"


def test_many_channels_are_answered_by_both_replicas(product: Product, make_api: Any) -> None:
    api = make_api("100")
    rows = dense(api, APP)

    def ask(_: int) -> float:
        over_grpc = Grpc(product, api)
        try:
            answer, _trailing = over_grpc.infer(rows)
        finally:
            over_grpc.channel.close()
        return float(np.frombuffer(answer.raw_output_contents[0], dtype="<f8")[0])

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(ask, range(40)))) == 1
    assert api.balance == 60


def test_without_the_application_nothing_is_found(product: Product, over_grpc: Grpc) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        over_grpc.stub.ServerLive(pb.ServerLiveRequest(), timeout=SECONDS)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_refusals_over_grpc_have_a_status_a_code_and_a_key(
    product: Product, make_api: Any, api: Api
) -> None:
    broke = Grpc(product, make_api("0"))
    with pytest.raises(grpc.RpcError) as refused:
        broke.infer(dense(api, APP))
    broke.channel.close()
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.value.details().startswith("insufficient_credits: ")
    trailing = dict(refused.value.trailing_metadata())
    assert trailing["farebox-code"] == "insufficient_credits"
    assert trailing["idempotency-key"]
    assert trailing["x-request-id"]


def test_a_message_larger_than_a_body_may_be_is_refused(over_grpc: Grpc) -> None:
    rows = np.zeros((1, LARGEST_MESSAGE_BYTES + 1), dtype=np.uint8)
    with pytest.raises(grpc.RpcError) as refused:
        over_grpc.infer(rows)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("status", "code", "path", "authorized"),
    [
        (401, "unauthenticated", INFER, False),
        (404, "model_not_found", "/v2/models/nothing/infer", True),
        (404, "version_not_found", f"/v2/models/{MODEL}/versions/77/infer", True),
        (422, "invalid_request", INFER, True),
    ],
)
def test_refusals_over_rest_are_the_protocols(
    api: Api, status: int, code: str, path: str, authorized: bool
) -> None:
    columns = 5 if status == 422 else 241
    tensor = {"name": "features", "datatype": "BOOL", "shape": [1, columns]}
    response = api.client.post(
        path,
        json={"inputs": [{**tensor, "data": [True] * columns}]},
        headers={} if authorized else {"Authorization": "Bearer fb_live_x"},
    )
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    assert response.json()["error"].startswith(f"{code}: ")
    assert response.headers["farebox-code"] == code
    assert uuid.UUID(response.headers["idempotency-key"])
    assert api.balance == 100


def connections_of(process: psutil.Process) -> list[Any]:
    """None of a process that has ended meanwhile: pools shrink behind the tests before."""
    try:
        return list(process.net_connections("tcp"))
    except psutil.NoSuchProcess:
        return []


def test_grpc_listens_on_loopback_alone(product: Product) -> None:
    expected = {
        product.ports["FAREBOX_GRPC_PORT"],
        product.ports["FAREBOX_FALLBACK_PROXY_GRPC_PORT"],
    }
    first = product.first_port + 100
    listening = {
        connection.laddr.port: connection.laddr.ip
        for process in product.processes()
        for connection in connections_of(process)
        if connection.status == psutil.CONN_LISTEN
    }
    grpc_ports = {
        port for port in listening if port in expected or first + 100 <= port < first + 200
    }
    assert grpc_ports > expected
    assert {listening[port].removeprefix("::ffff:") for port in grpc_ports} == {"127.0.0.1"}
