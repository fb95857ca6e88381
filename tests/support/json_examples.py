"""The smallest valid value for a JSON schema of our own OpenAPI document."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

_BY_FORMAT = {
    "uuid": str(uuid.UUID(int=7)),
    "date-time": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
    "email": "somebody@example.com",
    "uri": "https://example.com/hook",
    "password": "correct horse battery",
}


def make_example(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    """A value with what is required and nothing else."""
    if "$ref" in schema:
        return make_example(components[schema["$ref"].rsplit("/", 1)[-1]], components)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return make_example(schema[word][0], components)
    if examples := schema.get("examples"):
        return examples[0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return _by_type(schema, components)


def _by_type(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        return {
            name: make_example(properties[name], components) for name in schema.get("required", [])
        }
    if kind == "array":
        return [make_example(schema["items"], components)] * schema.get("minItems", 0)
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    if "format" in schema:
        return _BY_FORMAT[schema["format"]]
    return "correct horse battery"[: schema.get("maxLength", 100)]
