"""The OpenAPI operations of the infer routes, written by hand: FastAPI never sees those routes."""

from __future__ import annotations

from typing import Any

from serve.v2.outputs import DATATYPES as OUTPUTS
from serve.v2.reading import INPUT
from serve.v2.tensors import DATATYPES

_JSON = "application/json"
_BINARY = "application/octet-stream"

_ERRORS = {
    401: "No API key or session, or one that is malformed, unknown, expired or ended",
    402: "Not enough credits, or the key's cap is reached",
    403: "The key's scopes do not allow it",
    404: "No such model or version",
    409: "A request with the same idempotency key is still running",
    410: "The version was retired, or the stored answer pruned after 24 hours; free",
    413: "The body is too large",
    415: "The body is neither JSON nor JSON and bytes, or it is compressed",
    422: "The request is not as it must be, or the key was used with another request",
    429: "The queue, or the caller's share of it, is full; see Retry-After",
    500: "The model failed on this input, or something went wrong; nothing was charged",
    503: "The ledger or the model is out of reach, or the deadline passed; see Retry-After",
}

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "`CODE: what is wrong`"}},
}

_REQUEST = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string", "description": "Comes back in the answer"},
        "parameters": {
            "type": "object",
            "properties": {
                "explain": {"type": "boolean", "description": "Adds the output `explanation`"},
                "idempotency_key": {"type": "string", "description": "As the header"},
                "binary_data_output": {"type": "boolean", "description": "Answer tensors as bytes"},
            },
        },
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "datatype", "shape"],
                "properties": {
                    "name": {"const": INPUT},
                    "datatype": {"enum": sorted(DATATYPES)},
                    "shape": {
                        "type": "array",
                        "items": {"type": "integer"},
                        "description": "[rows, features]",
                    },
                    "data": {"type": "array", "description": "Zeros and ones, flat or by rows"},
                    "parameters": {
                        "type": "object",
                        "properties": {
                            "binary_data_size": {
                                "type": "integer",
                                "description": "Bytes behind the JSON, instead of `data`",
                            }
                        },
                    },
                },
            },
        },
        "outputs": {
            "type": "array",
            "description": "Left out: all of them",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"enum": sorted(OUTPUTS)},
                    "parameters": {
                        "type": "object",
                        "properties": {"binary_data": {"type": "boolean"}},
                    },
                },
            },
        },
    },
}

_HEADERS = [
    {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }
    for name, description in (
        ("Idempotency-Key", "The same key and the same rows are charged once"),
        ("Inference-Header-Content-Length", "Bytes of JSON, where tensors follow it as bytes"),
    )
]


def path_parameters(*names: str) -> list[dict[str, Any]]:
    """What stands in the path."""
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for an operation that can answer these statuses."""
    return {
        status: {"description": _ERRORS[status], "content": {_JSON: {"schema": _ERROR}}}
        for status in statuses
    }


def _operation(parameters: tuple[str, ...]) -> dict[str, Any]:
    return {
        "summary": "Infer and pay",
        "tags": ["open inference protocol"],
        "operationId": "infer" if len(parameters) == 1 else "infer_version",
        "description": "Scores all rows and charges the account once, as POST /v1/predictions.",
        "security": [{"HTTPBearer": []}],
        "parameters": [*path_parameters(*parameters), *_HEADERS],
        "requestBody": {
            "required": True,
            "content": {
                _JSON: {"schema": _REQUEST},
                _BINARY: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": {
            "200": {
                "description": "Predicted and paid; "
                "`parameters` has what it cost, `outputs` the tensors",
                "content": {
                    _JSON: {"schema": {"type": "object"}},
                    _BINARY: {"schema": {"type": "string", "format": "binary"}},
                },
            },
            **{str(status): each for status, each in error_responses(*_ERRORS).items()},
        },
    }


INFER_OPERATIONS: dict[str, Any] = {
    path: {"post": _operation(parameters)}
    for path, parameters in {
        "/v2/models/{name}/infer": ("name",),
        "/v2/models/{name}/versions/{version}/infer": ("name", "version"),
    }.items()
}
