"""What is no route, and the documentation itself."""

from __future__ import annotations

import re

import pytest

from tests.support.asgi import call
from tests.support.serving import Replica

pytestmark = pytest.mark.anyio

PROBLEM = "application/problem+json"


async def test_an_unknown_route_is_a_problem(replica: Replica) -> None:
    reply = await call(replica.app, "/v3/predictions", headers={"x-request-id": "r-1"})
    assert (reply.status, reply.json["code"]) == (404, "route_not_found")
    assert reply.headers["content-type"] == PROBLEM
    assert reply.json["request_id"] == "r-1"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/models", "/v1/account"])
async def test_a_wrong_method_is_told_the_right_one(replica: Replica, path: str) -> None:
    reply = await call(replica.app, path, "POST")
    assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "GET"
    assert reply.headers["content-type"] == PROBLEM


async def test_the_documentation_asks_no_other_host(replica: Replica) -> None:
    reply = await call(replica.app, "/docs")
    assert reply.status == 200
    assert re.findall(rb"(?:https?:)?//[a-z]", reply.body) == []
    for asset in re.findall(rb'(?:src|href)="([^"]+)"', reply.body):
        assert (await call(replica.app, asset.decode())).status == 200, asset


async def test_the_document_is_served(replica: Replica) -> None:
    assert (await call(replica.app, "/openapi.json")).json == replica.api.openapi()
