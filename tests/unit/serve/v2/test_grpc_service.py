"""The gRPC methods on a replica, with the context that Ray would give them."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np
import pytest

from serve.readiness import Readiness
from serve.refusals import Code, Refusal
from serve.v2 import inference_pb2 as pb
from serve.v2.grpc_service import InferenceMethods, InferenceService
from tests.support.fragile_model import NAME
from tests.support.serving import Replica

pytestmark = pytest.mark.anyio

ROWS = [[0, 0, 1], [0, 1, 0]]


class Context:
    """Keeps what is set on it."""

    def __init__(self, **metadata: str) -> None:
        self.metadata = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        self.code: grpc.StatusCode | None = None
        self.details = ""
        self.trailing: dict[str, str] = {}

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return self.metadata

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None:
        self.details = details

    def set_trailing_metadata(self, trailing_metadata: list[tuple[str, str]]) -> None:
        self.trailing = dict(trailing_metadata)


@pytest.fixture
async def methods(replica: Replica) -> InferenceMethods:
    methods = InferenceMethods()
    readiness = Readiness(replica.scorer, replica.cashier)
    methods.inference = InferenceService(replica.pipeline, readiness, replica.seen)
    return methods


def request(
    *, raw: bool = True, datatype: str = "UINT8", field: str = "uint_contents", **fields: Any
) -> pb.ModelInferRequest:
    made = pb.ModelInferRequest(**{"model_name": NAME} | fields)
    tensor = made.inputs.add(name="features", datatype=datatype, shape=[2, 3])
    values = [value for row in ROWS for value in row]
    if raw:
        made.raw_input_contents.append(bytes(values))
    else:
        getattr(tensor.contents, field).extend(values)
    return made


async def infer(
    methods: InferenceMethods, replica: Replica, sent: pb.ModelInferRequest, **metadata: str
) -> tuple[pb.ModelInferResponse, Context]:
    context = Context(**{"authorization": replica.anna} | metadata)
    return await methods.ModelInfer(sent, context), context


async def test_raw_is_answered_raw_and_values_by_values(
    methods: InferenceMethods, replica: Replica
) -> None:
    raw, _ = await infer(methods, replica, request(id="seven"))
    typed, _ = await infer(methods, replica, request(raw=False))
    assert (raw.id, raw.model_name, raw.model_version) == ("seven", NAME, "1")
    probabilities = np.frombuffer(raw.raw_output_contents[0], dtype="<f8").tolist()
    assert probabilities == list(typed.outputs[0].contents.fp64_contents)
    labels = [text.decode() for text in typed.outputs[1].contents.bytes_contents]
    assert raw.raw_output_contents[1] == b"".join(
        len(text).to_bytes(4, "little") + text.encode() for text in labels
    )
    assert not typed.raw_output_contents
    assert typed.parameters["credits_charged"].string_param == "2"
    assert typed.parameters["credits_balance"].string_param == "96"
    assert await replica.balance() == "96"


@pytest.mark.parametrize(
    ("datatype", "field"),
    [
        ("BOOL", "bool_contents"),
        ("INT8", "int_contents"),
        ("INT32", "int_contents"),
        ("INT64", "int64_contents"),
        ("UINT16", "uint_contents"),
        ("UINT64", "uint64_contents"),
        ("FP32", "fp32_contents"),
        ("FP64", "fp64_contents"),
    ],
)
async def test_values_stand_in_the_field_of_their_datatype(
    methods: InferenceMethods, replica: Replica, datatype: str, field: str
) -> None:
    answer, context = await infer(
        methods, replica, request(raw=False, datatype=datatype, field=field)
    )
    assert context.code is None, context.details
    assert len(answer.outputs[0].contents.fp64_contents) == 2
    wrong = "fp32_contents" if field != "fp32_contents" else "fp64_contents"
    _, context = await infer(methods, replica, request(raw=False, datatype=datatype, field=wrong))
    assert context.code is grpc.StatusCode.INVALID_ARGUMENT
    assert field in context.details


async def test_the_same_key_is_charged_once(methods: InferenceMethods, replica: Replica) -> None:
    first, context = await infer(methods, replica, request(), idempotency_key="k")
    assert context.trailing["idempotency-key"] == "k"
    by_parameter = request(raw=False, id="other")
    by_parameter.parameters["idempotency_key"].string_param = "k"
    again, _ = await infer(methods, replica, by_parameter)
    assert again.parameters["idempotency_replayed"].bool_param is True
    assert again.parameters["prediction_id"] == first.parameters["prediction_id"]
    assert await replica.balance() == "98"


def with_parameter(name: str, **value: Any) -> pb.ModelInferRequest:
    made = request()
    made.parameters[name].CopyFrom(pb.InferParameter(**value))
    return made


def with_two_inputs() -> pb.ModelInferRequest:
    made = request()
    made.inputs.add(name="features", datatype="UINT8", shape=[2, 3])
    return made


def with_two_contents(raw: int) -> pb.ModelInferRequest:
    made = request(raw=False)
    made.raw_input_contents.extend([b"\0"] * raw)
    return made


def with_two_raw() -> pb.ModelInferRequest:
    made = request()
    made.raw_input_contents.append(b"\0")
    return made


def with_output(name: str) -> pb.ModelInferRequest:
    made = request()
    made.outputs.add(name=name)
    return made


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request(model_name="none"), grpc.StatusCode.NOT_FOUND, "model_not_found"),
        (request(model_version="9"), grpc.StatusCode.NOT_FOUND, "version_not_found"),
        (request(datatype="FP16"), grpc.StatusCode.INVALID_ARGUMENT, "invalid_request"),
        (request(datatype="FP32"), grpc.StatusCode.INVALID_ARGUMENT, "invalid_request"),
        (pb.ModelInferRequest(), grpc.StatusCode.INVALID_ARGUMENT, "invalid_request"),
        (with_two_inputs(), grpc.StatusCode.INVALID_ARGUMENT, "invalid_request"),
        (with_two_contents(1), grpc.StatusCode.INVALID_ARGUMENT, "invalid_request"),
        (with_two_raw(), grpc.StatusCode.INVALID_ARGUMENT, "invalid_request"),
        (with_output("logits"), grpc.StatusCode.INVALID_ARGUMENT, "invalid_request"),
        (
            with_parameter("explian", bool_param=True),
            grpc.StatusCode.INVALID_ARGUMENT,
            "invalid_request",
        ),
        (
            with_parameter("explain", string_param="yes"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "invalid_request",
        ),
        (
            with_parameter("idempotency_key", string_param="a b"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "invalid_idempotency_key",
        ),
    ],
)
async def test_refusals_are_a_status_a_code_and_a_key(
    methods: InferenceMethods,
    replica: Replica,
    sent: pb.ModelInferRequest,
    status: grpc.StatusCode,
    code: str,
) -> None:
    answer, context = await infer(methods, replica, sent)
    assert answer == pb.ModelInferResponse()
    assert (context.code, context.trailing["farebox-code"]) == (status, code)
    assert context.details.startswith(f"{code}: ")
    assert context.trailing["idempotency-key"]
    assert context.trailing["x-request-id"]
    assert await replica.balance() == "100"
    assert replica.seen.outcomes == [code]


async def test_without_a_key_nobody_is_told_anything(
    methods: InferenceMethods, replica: Replica
) -> None:
    context = Context()
    await methods.ModelInfer(request(), context)
    assert context.code is grpc.StatusCode.UNAUTHENTICATED


async def test_no_credits_and_a_full_queue_are_exhausted_resources(
    methods: InferenceMethods, replica: Replica
) -> None:
    for _ in range(50):
        await infer(methods, replica, request())
    _, context = await infer(methods, replica, request())
    assert context.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert context.trailing["farebox-code"] == "insufficient_credits"
    batcher = replica.pipeline.batcher
    batcher.config = batcher.config.model_copy(update={"queue_requests_max": 0})
    _, context = await infer(methods, replica, request())
    assert context.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (context.trailing["farebox-code"], context.trailing["retry-after"]) == (
        "queue_full",
        "1",
    )


async def test_what_is_served_is_told_without_a_key(methods: InferenceMethods) -> None:
    live = await methods.ServerLive(pb.ServerLiveRequest())
    ready = await methods.ServerReady(pb.ServerReadyRequest(), Context())
    model = await methods.ModelReady(pb.ModelReadyRequest(name=NAME, version="1"), Context())
    assert (live.live, ready.ready, model.ready) == (True, True, True)
    server = await methods.ServerMetadata(pb.ServerMetadataRequest())
    assert server.name == "farebox"
    told = await methods.ModelMetadata(pb.ModelMetadataRequest(name=NAME), Context())
    assert list(told.inputs[0].shape) == [-1, 3]
    index = await methods.RepositoryIndex(pb.RepositoryIndexRequest())
    assert [each.name for each in index.models] == [NAME]


async def test_what_is_not_served_is_not_found(methods: InferenceMethods) -> None:
    context = Context()
    assert not (await methods.ModelReady(pb.ModelReadyRequest(name="none"), context)).ready
    assert context.code is grpc.StatusCode.NOT_FOUND
    context = Context()
    await methods.ModelMetadata(pb.ModelMetadataRequest(name=NAME, version="9"), context)
    assert context.code is grpc.StatusCode.NOT_FOUND


async def test_who_is_not_ready_is_unavailable(methods: InferenceMethods, replica: Replica) -> None:
    replica.scorer.failure = Refusal(Code.SCORER_UNAVAILABLE, "No scorer answers.")
    context = Context()
    assert not (await methods.ServerReady(pb.ServerReadyRequest(), context)).ready
    assert context.code is grpc.StatusCode.UNAVAILABLE
    assert context.trailing["retry-after"] == "2"
