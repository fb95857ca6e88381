"""What the cluster's controller knows of applications, deployments and replicas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """A deployment, and its replicas counted by state, in the cluster's own words."""

    name: str
    status: str
    message: str
    replicas: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """An application and its deployments."""

    name: str
    status: str
    message: str
    deployments: tuple[DeploymentState, ...]


class ControllerUnavailable(Exception):
    """The controller does not tell."""


ReadApplications = Callable[[], Sequence[ApplicationState]]
"""Asks the controller, for as long as that takes, on a thread. Raises ControllerUnavailable."""
