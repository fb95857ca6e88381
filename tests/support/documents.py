"""Answers held against the OpenAPI document."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from tests.support.asgi import Reply


def assert_documented(document: dict[str, Any], path: str, method: str, reply: Reply) -> None:
    """The answer is one that the document tells of: status, media type and schema."""
    responses = document["paths"][path][method.lower()]["responses"]
    content = responses[str(reply.status)]["content"]
    schema = content[reply.headers["content-type"]]["schema"]
    validator = Draft202012Validator({**schema, "components": document["components"]})
    assert [error.message for error in validator.iter_errors(reply.json)] == []
