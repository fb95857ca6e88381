"""Drives the product with kserve's clients, over REST or gRPC as the first argument says.

What it saw goes to standard output as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput

logging.disable(logging.CRITICAL)
OVER_REST = sys.argv[1] == "rest"
asked = json.load(sys.stdin)
MODEL, ROWS = asked["model"], np.array(asked["rows"])


def headers(key="key", **more):
    said = {"application": "scoring", "authorization": f"Bearer {asked[key]}", **more}
    return said if OVER_REST else tuple(said.items())


def request(rows=ROWS, model=MODEL, datatype="UINT8", binary=False, names=None, **options):
    numpy_type = {"UINT8": np.uint8, "BOOL": np.bool_, "FP64": np.float64}
    tensor = InferInput("features", list(rows.shape), datatype)
    if binary or OVER_REST:
        tensor.set_data_from_numpy(rows.astype(numpy_type[datatype]), binary_data=binary)
    else:
        tensor.data = rows.astype(numpy_type[datatype]).ravel().tolist()
    outputs = names and [RequestedOutput(name) for name in names]
    return InferRequest(model, [tensor], request_outputs=outputs, **options)


def told(result):
    outputs = {each.name: each.as_numpy().tolist() for each in result.outputs}
    parameters = dict(result.parameters or {})
    if not OVER_REST:
        parameters = {
            name: getattr(value, value.WhichOneof("parameter_choice"))
            for name, value in parameters.items()
        }
    labels = [text if isinstance(text, str) else text.decode() for text in outputs["label"]]
    return {
        "probability": outputs["probability"],
        "label": labels,
        "id": result.id,
        # The client over REST keeps no version of an answer.
        "version": "1" if OVER_REST else result.model_version,
        **parameters,
    }


class Over:
    """One of the two clients, asked alike."""

    def __init__(self):
        if OVER_REST:
            self.client = InferenceRESTClient(RESTConfig(protocol="v2"))
            self.base = (asked["http"],)
        else:
            self.client = InferenceGRPCClient(asked["grpc"])
            self.base = ()

    async def live(self):
        return await self.client.is_server_live(*self.base, headers=headers())

    async def ready(self):
        return await self.client.is_server_ready(*self.base, headers=headers())

    async def model_ready(self, name):
        try:
            return await self.client.is_model_ready(*self.base, name, headers=headers())
        except Exception:
            return False

    async def infer(self, sent, **more):
        if OVER_REST:
            return await self.client.infer(
                *self.base, sent, model_name=sent.model_name, headers=headers(**more)
            )
        return await self.client.infer(sent, headers=headers(**more))

    async def error(self, sent, **more):
        try:
            await self.infer(sent, **more)
        except Exception as raised:
            return str(raised)
        return "nothing was raised"


async def main():
    over = Over()
    key = f"kserve/{sys.argv[1]}"
    by_header = {"idempotency-key": key}
    said = {
        "live": await over.live(),
        "ready": await over.ready(),
        "model_ready": await over.model_ready(MODEL),
        "other_ready": await over.model_ready("nothing"),
        "answers": {
            "binary": told(await over.infer(request(binary=True, request_id="seven"))),
            "values": told(await over.infer(request())),
            "booleans": told(await over.infer(request(datatype="BOOL", binary=True))),
            "floats": told(await over.infer(request(datatype="FP64"))),
            "keyed": told(await over.infer(request(), **by_header)),
        },
        "replay": told(await over.infer(request(binary=True, parameters={"idempotency_key": key}))),
        "selected": [each.name for each in (await over.infer(request(names=["label"]))).outputs],
        "errors": {
            "wrong_shape": await over.error(request(rows=ROWS[:, :5])),
            "not_binary": await over.error(request(rows=ROWS + 1)),
            "unknown_model": await over.error(request(model="nothing")),
            "unknown_output": await over.error(request(names=["logits"])),
            "no_credits": await over.error(request(), key="broke_key"),
            "wrong_key": await over.error(request(), key="wrong_key"),
        },
    }
    json.dump(said, sys.stdout)


asyncio.run(main())
