"""The OpenAPI operation of the scoring route, written by hand: FastAPI never sees that route."""

from __future__ import annotations

from typing import Any

from serve.wire import problem_responses

_JSON = "application/json"
_PACKED = "application/octet-stream"

_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 visible ASCII characters. The same key and body, and with packed rows "
    "the same layout and query, are charged once; a retry gets the stored answer, marked "
    "`Idempotency-Replayed: true`",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}

_QUERY = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "description": f"{description}. Of packed rows only: JSON says it in its body, and the "
        "query is not read then",
        "schema": {"type": "string"},
    }
    for name, description in (
        ("model", "Name of a model, see GET /v1/models; packed rows must have it"),
        ("version", "Left out: the champion"),
        ("explain", "`true` for explanations, as `explain` in JSON"),
    )
]

_PACKED_ROWS = {
    "type": "string",
    "format": "binary",
    "description": "1 to 1,024 rows one after the other, nothing in between, their columns in the "
    "order of the model's `features`. The media type says how a row is packed. "
    f"`{_PACKED}; layout=bits`: one bit a feature, most significant bit first, each row padded "
    "with zero bits to whole bytes (31 bytes for 241 features; `numpy.packbits(rows, axis=1)`). "
    f"`{_PACKED}; layout=bytes`: one byte, 0 or 1, a feature. Without a layout: 415",
}

_PACKED_PROBABILITIES = {
    "type": "string",
    "format": "binary",
    "description": f"Where `Accept` names `{_PACKED}`: the probability of the positive label of "
    "each row, in order, as a little-endian IEEE 754 double (8 bytes a row). Its label is the "
    "positive one from the model's `threshold` on. What JSON says beside it is in the headers",
}

_ANSWER_HEADERS = (
    ("Idempotency-Key", "The key that was used, yours or ours"),
    ("Idempotency-Replayed", "`true` where a stored answer was given again, free"),
    ("X-Request-Id", "Yours or ours"),
    ("Farebox-Prediction-Id", "With a packed answer: `id` of the JSON"),
    ("Farebox-Model", "With a packed answer: `model` of the JSON"),
    ("Farebox-Version", "With a packed answer: `version` of the JSON"),
    ("Farebox-Credits-Charged", "With a packed answer: `credits_charged` of the JSON"),
    ("Farebox-Credits-Balance", "With a packed answer: `credits_balance` of the JSON"),
)

SCORING_OPERATION: dict[str, Any] = {
    "summary": "Score and pay",
    "tags": ["predictions"],
    "operationId": "create_prediction",
    "description": "Scores all instances and charges the account once, when the answer is certain. "
    "One bad instance refuses the request as a whole, and nothing is charged. Rows can be sent as "
    "packed bytes instead of JSON, and probabilities be answered as bytes, each by itself. With "
    "`explain`, for 64 instances at most, each prediction tells what contributed to it; its price "
    "is `explanation_price_per_instance` beside that of the prediction.",
    "security": [{"HTTPBearer": []}],
    "parameters": [_KEY_HEADER, *_QUERY],
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {"schema": {"$ref": "#/components/schemas/PredictionRequest"}},
            _PACKED: {"schema": _PACKED_ROWS},
        },
    },
    "responses": {
        "200": {
            "description": "Predicted and paid",
            "headers": {
                name: {"description": description, "schema": {"type": "string"}}
                for name, description in _ANSWER_HEADERS
            },
            "content": {
                _JSON: {"schema": {"$ref": "#/components/schemas/PredictionAnswer"}},
                _PACKED: {"schema": _PACKED_PROBABILITIES},
            },
        },
        **{
            str(status): response
            for status, response in problem_responses(
                401, 402, 403, 404, 406, 409, 410, 413, 415, 422, 429, 500, 503
            ).items()
        },
    },
}
