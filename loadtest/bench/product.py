"""The product as a target of loads."""

from __future__ import annotations

import json
from collections.abc import Sequence

from loadtest.inputs import Row
from loadtest.target import Target

NAME = "product"
MODEL_NAME = "android-malware"


def product_target(base_url: str, keys: Sequence[str]) -> Target:
    """The scoring route of a product at `base_url`, paid for by the accounts of `keys`."""
    return Target(
        name=NAME,
        base_url=base_url,
        path="/v1/predictions",
        encode=encode_row,
        marker=b'"probability":',
        keys=tuple(keys),
    )


def encode_row(row: Row) -> bytes:
    """One dense row as the JSON of a request."""
    return encode_instances([row])


def encode_instances(instances: Sequence[object]) -> bytes:
    """Rows, dense or by names, as the JSON of a request."""
    body = {"model": MODEL_NAME, "instances": instances}
    return json.dumps(body, separators=(",", ":")).encode()
