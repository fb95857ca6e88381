"""A replica for each test; its model is loaded once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fragile_model import write_fragile_model
from tests.support.serving import Models, Replica, make_replica


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    root = tmp_path_factory.mktemp("artifacts")
    write_fragile_model(root)
    return Models.load(root)


@pytest.fixture
async def replica(models: Models) -> Replica:
    return make_replica(models)


@pytest.fixture
def document(replica: Replica) -> dict[str, Any]:
    document: dict[str, Any] = replica.api.openapi()
    return document
