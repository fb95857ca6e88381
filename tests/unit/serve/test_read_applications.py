"""What Ray Serve says of itself, in types of our own."""

from __future__ import annotations

import pytest
from ray import serve as ray_serve
from ray.exceptions import RayError
from ray.serve.schema import (
    ApplicationStatus,
    ApplicationStatusOverview,
    DeploymentStatus,
    DeploymentStatusOverview,
    DeploymentStatusTrigger,
    ReplicaState,
    ServeStatus,
)

from serve.accounts.application import read_applications
from serve.accounts.replicas.values import (
    ApplicationState,
    ControllerUnavailable,
    DeploymentState,
)


def status(*states: tuple[ReplicaState, int]) -> ServeStatus:
    deployment = DeploymentStatusOverview(
        status=DeploymentStatus.UNHEALTHY,
        status_trigger=DeploymentStatusTrigger.UNSPECIFIED,
        replica_states=dict(states),
        message="one died",
    )
    application = ApplicationStatusOverview(
        status=ApplicationStatus.RUNNING,
        message="",
        last_deployed_time_s=1.0,
        deployments={"Billing": deployment},
    )
    return ServeStatus(applications={"scoring": application})


@pytest.mark.parametrize("running", [ReplicaState.RUNNING, "RUNNING"])
def test_replicas_are_counted_by_state(
    running: ReplicaState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray gives the states as plain words, whatever its types say."""
    found = status((running, 2), (ReplicaState.STARTING, 1))
    monkeypatch.setattr(ray_serve, "status", lambda: found)
    deployment = DeploymentState("Billing", "UNHEALTHY", "one died", {"RUNNING": 2, "STARTING": 1})
    assert read_applications() == [ApplicationState("scoring", "RUNNING", "", (deployment,))]


def test_a_controller_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_serve, "status", ServeStatus)
    with pytest.raises(ControllerUnavailable):
        read_applications()


def test_a_controller_that_died_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> ServeStatus:
        raise RayError("the actor died")

    monkeypatch.setattr(ray_serve, "status", fail)
    with pytest.raises(ControllerUnavailable, match="the actor died"):
        read_applications()
