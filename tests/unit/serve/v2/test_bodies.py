"""Bodies of infer requests over REST: what is read, and what is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from serve.refusals import Code, Refusal
from serve.v2.bodies import read_json_bytes, read_request, write_answer
from serve.v2.outputs import Output, Requested

TENSOR = {"name": "features", "datatype": "UINT8", "shape": [1, 3], "data": [0, 1, 1]}
SIZED = {name: value for name, value in TENSOR.items() if name != "data"} | {
    "parameters": {"binary_data_size": 3}
}
ALL = (Requested("probability"), Requested("label"))


def request(**fields: Any) -> bytes:
    return orjson.dumps({"inputs": [TENSOR]} | fields)


def refused(body: bytes, json_bytes: int | None = None) -> str:
    with pytest.raises(Refusal) as caught:
        read_request(body, json_bytes, "m", "1")
    assert caught.value.code in (Code.INVALID_REQUEST, Code.INVALID_JSON)
    return caught.value.detail


def test_a_request_says_rows_outputs_id_key_and_explain() -> None:
    asked = read_request(
        request(id="x", parameters={"explain": True, "idempotency_key": "k"}), None, "m"
    )
    assert (asked.id, asked.idempotency_key, asked.explain) == ("x", "k", True)
    assert (asked.tensor.rows, asked.tensor.columns) == (1, 3)
    assert asked.tensor.matrix() == b"\0\1\1"
    assert [each.name for each in asked.outputs] == ["probability", "label", "explanation"]


def test_bytes_behind_the_json_are_the_tensor() -> None:
    head = request(inputs=[SIZED])
    asked = read_request(head + b"\0\1\1", len(head), "m")
    assert asked.tensor.matrix() == b"\0\1\1"
    assert asked.outputs == ALL


def test_outputs_are_bytes_where_the_request_or_the_output_says_so() -> None:
    parameters = {"binary_data_output": True}
    asked = read_request(request(parameters=parameters), None, "m")
    assert all(each.binary for each in asked.outputs)
    chosen = [{"name": "label", "parameters": {"binary_data": False}}, {"name": "probability"}]
    asked = read_request(request(parameters=parameters, outputs=chosen), None, "m")
    assert asked.outputs == (Requested("label"), Requested("probability", binary=True))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"inputs": []}, "0 inputs"),
        ({"inputs": [TENSOR, TENSOR]}, "2 inputs"),
        ({"inputs": {}}, "`inputs` of the request is a list"),
        ({"inputs": [1]}, "the input is not an object"),
        ({"inputs": [TENSOR | {"name": "rows"}]}, "no input 'rows'"),
        ({"inputs": [TENSOR | {"name": 1}]}, "`name` of the input is a string"),
        ({"inputs": [TENSOR | {"datatype": "FP16"}]}, "'FP16'"),
        ({"inputs": [TENSOR | {"datatype": "BYTES"}]}, "'BYTES'"),
        ({"inputs": [TENSOR | {"shape": [3]}]}, "has shape [3]"),
        ({"inputs": [TENSOR | {"shape": [0, 3]}]}, "has shape [0, 3]"),
        ({"inputs": [TENSOR | {"shape": [1, True]}]}, "has shape"),
        ({"inputs": [TENSOR | {"shape": "1,3"}]}, "`shape` of the input is a list"),
        ({"inputs": [TENSOR | {"date": [1]}]}, "unknown field 'date'"),
        ({"inputs": [TENSOR | {"parameters": {"shared_memory_region": "x"}}]}, "shared_memory"),
        ({"inputs": [SIZED]}, "Inference-Header-Content-Length"),
        ({"inputs": [SIZED | {"data": [0, 1, 1]}]}, "both `data` and `binary_data_size`"),
        ({"outputs": [{"name": "logits"}]}, "no output 'logits'"),
        ({"outputs": [{"name": "explanation"}]}, "ask for it by `explain`"),
        ({"outputs": [{"name": "label"}, {"name": "label"}]}, "asked for twice"),
        ({"outputs": [{}]}, "an output has no name"),
        ({"outputs": [{"name": "label", "parameters": {"classification": 2}}]}, "classification"),
        ({"parameters": {"explian": True}}, "unknown field 'explian'"),
        ({"parameters": {"explain": "yes"}}, "`explain`"),
        ({"parameters": {"idempotency_key": 7}}, "`idempotency_key`"),
        ({"parameters": []}, "`parameters` of the request is not an object"),
        ({"id": 7}, "`id` of the request is a string"),
        ({"model": "x"}, "unknown field 'model'"),
        ({"model_name": "x"}, "the path says 'm'"),
        ({"model_version": "2"}, "the path says '1'"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], said: str) -> None:
    assert said in refused(request(**fields))


def test_bytes_that_do_not_fit_are_refused() -> None:
    head = request(inputs=[SIZED])
    assert "2 bytes follow" in refused(head + b"\0\1", len(head))
    assert "4 bytes follow" in refused(head + b"\0\1\1\0", len(head))
    plain = request()
    assert "3 bytes follow the JSON" in refused(plain + b"\0\1\1", len(plain))


def test_the_body_may_repeat_what_the_path_says() -> None:
    assert read_request(request(model_name="m", model_version=None), None, "m")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    assert refused(body)


@pytest.mark.parametrize("header", [b"", b"x", b"-1", b"11", b"1_0"])
def test_a_length_of_json_that_is_none_is_refused(header: bytes) -> None:
    with pytest.raises(Refusal):
        read_json_bytes(header, 10)


def test_an_answer_is_json_with_the_bytes_behind_it() -> None:
    outputs = [
        Output("probability", binary=True, values=np.array([0.25, 1.0])),
        Output("label", binary=False, values=["good", "bad"]),
    ]
    body, json_bytes = write_answer({"model_name": "m"}, outputs)
    assert json_bytes is not None
    said = orjson.loads(body[:json_bytes])
    assert said["outputs"] == [
        {
            "name": "probability",
            "datatype": "FP64",
            "shape": [2],
            "parameters": {"binary_data_size": 16},
        },
        {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["good", "bad"]},
    ]
    assert np.frombuffer(body[json_bytes:], dtype="<f8").tolist() == [0.25, 1.0]
    assert write_answer({}, outputs[1:])[1] is None
