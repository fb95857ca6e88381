"""Drives the product with tritonclient over gRPC; what it saw goes to standard output as JSON."""

from __future__ import annotations

import json
import sys

import numpy as np
import tritonclient.grpc as triton

asked = json.load(sys.stdin)
MODEL, ROWS = asked["model"], np.array(asked["rows"])
HERE = {"application": "scoring"}
client = triton.InferenceServerClient(asked["grpc"])


def infer(key="key", rows=ROWS, model=MODEL, datatype="UINT8", names=None, **options):
    tensor = triton.InferInput("features", list(rows.shape), datatype)
    numpy_type = {"UINT8": np.uint8, "BOOL": np.bool_, "FP32": np.float32, "INT64": np.int64}
    tensor.set_data_from_numpy(rows.astype(numpy_type[datatype]))
    outputs = names and [triton.InferRequestedOutput(name) for name in names]
    headers = {**HERE, "authorization": f"Bearer {asked[key]}", **options.pop("headers", {})}
    return client.infer(model, [tensor], outputs=outputs, headers=headers, **options)


def told(result):
    said = result.get_response(as_json=False)
    parameters = {
        name: getattr(value, value.WhichOneof("parameter_choice"))
        for name, value in said.parameters.items()
    }
    return {
        "probability": result.as_numpy("probability").tolist(),
        "label": [text.decode() for text in result.as_numpy("label").tolist()],
        "id": said.id,
        "version": said.model_version,
        **parameters,
    }


def error(**options):
    try:
        infer(**options)
    except Exception as raised:
        return str(raised)
    return "nothing was raised"


def is_ready(name):
    try:
        return client.is_model_ready(name, headers=HERE)
    except triton.InferenceServerException:
        return False


KEYED = {"headers": {"idempotency-key": "triton/grpc"}}
said = {
    "live": client.is_server_live(headers=HERE),
    "ready": client.is_server_ready(headers=HERE),
    "model_ready": is_ready(MODEL),
    "other_ready": is_ready("nothing"),
    "server": client.get_server_metadata(headers=HERE, as_json=True),
    "model": client.get_model_metadata(MODEL, headers=HERE, as_json=True),
    "index": client.get_model_repository_index(headers=HERE, as_json=True)["models"],
    "answers": {
        "binary": told(infer(request_id="seven")),
        "integers": told(infer(datatype="INT64")),
        "booleans": told(infer(datatype="BOOL", names=["label", "probability"])),
        "floats": told(infer(datatype="FP32", model_version="1")),
        "keyed": told(infer(**KEYED)),
    },
    "replay": told(infer(datatype="FP32", parameters={"idempotency_key": "triton/grpc"})),
    "selected": [each.name for each in infer(names=["label"]).get_response().outputs],
    "errors": {
        "wrong_shape": error(rows=ROWS[:, :5]),
        "not_binary": error(rows=ROWS + 1),
        "unknown_model": error(model="nothing"),
        "unknown_output": error(names=["logits"]),
        "no_credits": error(key="broke_key"),
        "wrong_key": error(key="wrong_key"),
    },
}
json.dump(said, sys.stdout)
