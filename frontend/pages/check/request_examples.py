"""The same request as curl and as Python, to copy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

_PYTHON = """\
import os
import uuid

import httpx

answer = httpx.post(
    "{url}/v1/predictions",
    headers={{
        "Authorization": f"Bearer {{os.environ['FAREBOX_KEY']}}",
        "Idempotency-Key": str(uuid.uuid4()),  # the same key again pays once
    }},
    json={{"model": {model}, "instances": [{features}]}},
)
answer.raise_for_status()
print(answer.json()["predictions"][0])
"""


def as_curl(server_url: str, model: str, features: Sequence[str]) -> str:
    """A line for a shell; the key comes from the variable FAREBOX_KEY."""
    body = json.dumps({"model": model, "instances": [list(features)]})
    return (
        f"curl -s {shlex.quote(server_url + '/v1/predictions')} \\\n"
        '  -H "Authorization: Bearer $FAREBOX_KEY" -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)}"
    )


def as_python(server_url: str, model: str, features: Sequence[str]) -> str:
    """A script for Python with httpx."""
    return _PYTHON.format(url=server_url, model=json.dumps(model), features=json.dumps(features))
