"""The OpenAPI document of the accounts application, as a client's developer reads it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from serve.accounts.api import build_accounts_api
from tests.support.accounts import make_app


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    services = make_app(None, None).services  # type: ignore[arg-type]
    document: dict[str, Any] = build_accounts_api(services).openapi()
    return document


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = Counter(
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_frameworks_own_errors_are_not_documented(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(document)
