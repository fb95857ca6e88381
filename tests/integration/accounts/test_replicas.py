"""Operators see how the cluster stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from billing.sessions.values import Role
from serve.accounts.replicas.values import (
    ApplicationState,
    ControllerUnavailable,
    DeploymentState,
)
from serve.accounts.replicas.watch import ReplicaWatch
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

PATH = "/v1/reports/replicas"


async def test_operators_see_applications_deployments_and_replicas(operator: Person) -> None:
    report = (await operator.client.get(PATH)).json()
    billing = {"name": "Billing", "status": "HEALTHY", "message": "", "replicas": {"RUNNING": 1}}
    assert report.pop("as_of")
    assert report == {
        "applications": [
            {"name": "scoring", "status": "RUNNING", "message": "", "deployments": [billing]}
        ]
    }


async def test_a_long_message_is_cut_to_its_end(app: AccountsApp) -> None:
    said = "x" * 10_000 + "the reason"
    deployment = DeploymentState("Billing", "UNHEALTHY", said, {})
    found = [ApplicationState("scoring", "RUNNING", said, (deployment,))]
    app.services = replace(app.services, replicas=ReplicaWatch(lambda: found))
    async with app.person(Role.OPERATOR) as operator:
        [seen] = (await operator.client.get(PATH)).json()["applications"]
    for message in (seen["message"], seen["deployments"][0]["message"]):
        assert len(message) == 2_000
        assert message.endswith("the reason")


async def test_a_controller_that_does_not_answer_is_a_503(app: AccountsApp) -> None:
    def fail() -> Sequence[ApplicationState]:
        raise ControllerUnavailable("down")

    app.services = replace(app.services, replicas=ReplicaWatch(fail))
    async with app.person(Role.OPERATOR) as operator:
        refused = await operator.client.get(PATH)
    assert (refused.status_code, refused.json()["code"]) == (503, "controller_unavailable")
    assert refused.headers["retry-after"] == "5"
