"""Ray's dashboard over HTTP: how many replicas there are, and a rolling redeploy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

APPLICATIONS = "/api/serve/applications/"
HTTP_TIMEOUT_SECONDS = 10
DEPLOY_TIMEOUT_SECONDS = 60
RUNNING = "RUNNING"
RELEASE = "FAREBOX_RELEASE"
"""An environment variable of the replicas that nothing reads: another value is another release."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The replicas at one moment, by deployment."""

    at_seconds: float
    """Since 1970."""
    running: dict[str, int]
    """How many take requests. While Serve builds an application anew it tells of none of its
    deployments, though their replicas go on: such a deployment is left out."""
    replicas: dict[str, frozenset[str]]
    """The ids of all that there are, those that start or end included."""
    statuses: dict[str, str]
    """Of the applications."""


class Dashboard:
    """The dashboard of a cluster on which the product runs."""

    def __init__(self, url: str, now: Callable[[], float] = time.time) -> None:
        token = os.environ.get("RAY_AUTH_TOKEN")
        self._client = httpx.Client(
            base_url=url,
            timeout=HTTP_TIMEOUT_SECONDS,
            trust_env=False,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        self._now = now

    def sample(self) -> Sample | None:
        """The replicas of now; None where the dashboard does not answer in time."""
        try:
            answer = self._client.get(APPLICATIONS).raise_for_status()
        except httpx.HTTPError:
            return None
        return read_sample(self._now(), answer.json())

    def redeploy(self, application: str, release: str) -> None:
        """Have Serve replace every replica of the application, a few at a time.

        What is deployed is handed over again with another value of RELEASE, which makes it another
        version of the code to Serve. Raises httpx.HTTPError where it is refused.
        """
        deployed = self._client.get(APPLICATIONS).raise_for_status().json()
        config = next_release(deployed, application, release)
        answer = self._client.put(APPLICATIONS, json=config, timeout=DEPLOY_TIMEOUT_SECONDS)
        if answer.is_error:
            raise httpx.HTTPError(f"Ray Serve refused the config: {answer.text[-500:]}")


def read_sample(at_seconds: float, deployed: dict[str, Any]) -> Sample:
    """From what the dashboard says of the applications."""
    running: dict[str, int] = {}
    replicas: dict[str, frozenset[str]] = {}
    for application in deployed["applications"].values():
        for name, deployment in application["deployments"].items():
            states = {each["replica_id"]: each["state"] for each in deployment["replicas"]}
            running[name] = sum(state == RUNNING for state in states.values())
            replicas[name] = frozenset(states)
    statuses = {name: each["status"] for name, each in deployed["applications"].items()}
    return Sample(at_seconds, running, replicas, statuses)


def next_release(deployed: dict[str, Any], application: str, release: str) -> dict[str, Any]:
    """The config that is deployed, with one application's replicas in another environment."""
    config = {
        name: deployed[name] for name in ("proxy_location", "http_options") if deployed.get(name)
    }
    config["applications"] = [
        each["deployed_app_config"] for each in deployed["applications"].values()
    ]
    changed = next(each for each in config["applications"] if each["name"] == application)
    environment = changed.get("runtime_env") or {}
    changed["runtime_env"] = {
        **environment,
        "env_vars": {**environment.get("env_vars", {}), RELEASE: release},
    }
    return config
