"""One dense row as the JSON that each peer takes."""

from __future__ import annotations

import json

from loadtest.inputs import Row


def encode_instances(row: Row) -> bytes:
    """As the product takes it; the FastAPI peers do as well."""
    return _dump({"model": "android-malware", "instances": [row]})


def encode_row(row: Row) -> bytes:
    """LitServe makes the batch itself, so a request holds one row."""
    return _dump({"row": row})


def encode_rows(row: Row) -> bytes:
    """BentoML joins batches of one row."""
    return _dump({"rows": [row]})


def encode_tensor(row: Row) -> bytes:
    """The Open Inference Protocol (V2), flat; LightGBM takes float32 without a conversion."""
    tensor = {"name": "rows", "shape": [1, len(row)], "datatype": "FP32", "data": row}
    return _dump({"inputs": [tensor]})


def _dump(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
