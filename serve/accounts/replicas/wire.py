"""Applications, deployments and replicas as operators see them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from serve.accounts.replicas.values import ApplicationState, DeploymentState
from serve.accounts.replicas.watch import Seen
from serve.wire import Wire

_MESSAGE_CHARACTERS_MAX = 2_000


class DeploymentView(Wire):
    """A deployment and its replicas."""

    name: str = Field(examples=["LightGBMScorer"])
    status: str = Field(examples=["HEALTHY"])
    message: str = Field(description="Why it is not as it should be; its end where it is long")
    replicas: dict[str, int] = Field(description="By state", examples=[{"RUNNING": 2}])

    @classmethod
    def of(cls, state: DeploymentState) -> Self:
        """As the wire has it."""
        return cls(
            name=state.name,
            status=state.status,
            message=state.message[-_MESSAGE_CHARACTERS_MAX:],
            replicas=dict(state.replicas),
        )


class ApplicationView(Wire):
    """An application of Ray Serve."""

    name: str = Field(examples=["scoring"])
    status: str = Field(examples=["RUNNING"])
    message: str = Field(description="Why it is not as it should be; its end where it is long")
    deployments: list[DeploymentView]

    @classmethod
    def of(cls, state: ApplicationState) -> Self:
        """As the wire has it."""
        return cls(
            name=state.name,
            status=state.status,
            message=state.message[-_MESSAGE_CHARACTERS_MAX:],
            deployments=[DeploymentView.of(each) for each in state.deployments],
        )


class ReplicasReport(Wire):
    """How the cluster stands, in Ray Serve's own words."""

    as_of: datetime
    applications: list[ApplicationView]

    @classmethod
    def of(cls, seen: Seen) -> Self:
        """As the wire has it."""
        return cls(
            as_of=seen.at, applications=[ApplicationView.of(each) for each in seen.applications]
        )
