"""Drives the product with tritonclient over HTTP; what it saw goes to standard output as JSON."""

from __future__ import annotations

import json
import sys

import numpy as np
import tritonclient.http as triton

asked = json.load(sys.stdin)
MODEL, ROWS = asked["model"], np.array(asked["rows"])
client = triton.InferenceServerClient(asked["http"].removeprefix("http://"))


def infer(key="key", rows=ROWS, model=MODEL, datatype="UINT8", binary=True, names=None, **options):
    tensor = triton.InferInput("features", list(rows.shape), datatype)
    numpy_type = {"UINT8": np.uint8, "BOOL": np.bool_, "FP32": np.float32, "INT64": np.int64}
    tensor.set_data_from_numpy(rows.astype(numpy_type[datatype]), binary_data=binary)
    outputs = names and [triton.InferRequestedOutput(n, binary_data=binary) for n in names]
    headers = {"Authorization": f"Bearer {asked[key]}", **options.pop("headers", {})}
    return client.infer(model, [tensor], outputs=outputs, headers=headers, **options)


def told(result):
    said = result.get_response()
    labels = result.as_numpy("label")
    return {
        "probability": result.as_numpy("probability").tolist(),
        "label": [text if isinstance(text, str) else text.decode() for text in labels.tolist()],
        "id": said.get("id"),
        "version": said["model_version"],
        **said["parameters"],
    }


def error(**options):
    try:
        infer(**options)
    except Exception as raised:
        return str(raised)
    return "nothing was raised"


BOTH = ["probability", "label"]
KEYED = {"parameters": {"idempotency_key": asked["http"] + "/triton/http"}}
said = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": client.is_model_ready(MODEL),
    "other_ready": client.is_model_ready("nothing"),
    "server": client.get_server_metadata(),
    "model": client.get_model_metadata(MODEL),
    "index": client.get_model_repository_index(),
    "answers": {
        "binary": told(infer(request_id="seven")),
        "json": told(infer(binary=False, names=BOTH, datatype="INT64")),
        "booleans": told(infer(datatype="BOOL", names=BOTH)),
        "floats": told(infer(datatype="FP32", model_version="1")),
        "keyed": told(infer(**KEYED)),
    },
    "replay": told(infer(binary=False, names=BOTH, datatype="INT64", **KEYED)),
    "selected": [each["name"] for each in infer(names=["label"]).get_response()["outputs"]],
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
