"""The running product's Serve config: read, changed and waited for over the dashboard's API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from farebox.deployment import Deployment
from farebox.errors import StartFailed
from ops.sweep.knobs import Config

APPLY_SECONDS_MAX = 180
"""A replica that goes drains for more than half a minute."""
_POLL_SECONDS = 0.5
_POLLS_IN_A_ROW = 3
"""The status of before may still be told right after a change."""
_OUTSIDE = ("proxy_location", "http_options", "grpc_options")


class NotApplied(Exception):
    """A config did not take effect."""


class RunningConfig:
    """What Serve runs by now."""

    def __init__(self, dashboard_url: str) -> None:
        self._dashboard_url = dashboard_url
        self._dashboard = Deployment(dashboard_url, time.monotonic())

    def read(self) -> Config:
        """As it was deployed, so that the same can be deployed again."""
        told = self._dashboard.fetch()
        config = {name: told[name] for name in _OUTSIDE if told.get(name)}
        config["applications"] = [
            application["deployed_app_config"] for application in told["applications"].values()
        ]
        return config

    def apply(self, config: Config) -> None:
        """Deploy it and wait until every replica has it and no other is left.

        Raises NotApplied, with what was wrong where the dashboard says so.
        """
        before = _deployed_times(self._dashboard.fetch())
        try:
            self._dashboard.deploy(config)
        except StartFailed as error:
            raise NotApplied(str(error)) from error
        self._wait(lambda told: _is_newer(told, before) and _is_settled(told))

    def _wait(self, condition: Callable[[Config], bool]) -> None:
        deadline, in_a_row = time.monotonic() + APPLY_SECONDS_MAX, 0
        while in_a_row < _POLLS_IN_A_ROW:
            if time.monotonic() > deadline:
                raise NotApplied(f"the change did not take effect in {APPLY_SECONDS_MAX} s")
            time.sleep(_POLL_SECONDS)
            told = self._dashboard.fetch()
            if any(each["status"] == "DEPLOY_FAILED" for each in told["applications"].values()):
                raise NotApplied("Ray Serve could not deploy the change")
            in_a_row = in_a_row + 1 if condition(told) else 0


@contextmanager
def restoring(running: RunningConfig) -> Iterator[Config]:
    """The config of now, which is deployed again at the end, whatever happens."""
    original = running.read()
    try:
        yield original
    finally:
        running.apply(original)


def _deployed_times(told: Config) -> dict[str, float]:
    return {name: each["last_deployed_time_s"] for name, each in told["applications"].items()}


def _is_newer(told: Config, before: dict[str, float]) -> bool:
    now = _deployed_times(told)
    return all(now.get(name, 0.0) > moment for name, moment in before.items())


def _is_settled(told: Config) -> bool:
    """Whether everything runs, and nothing is starting, changing or draining."""
    return all(
        application["status"] == "RUNNING" and all(map(_is_steady, _deployments_of(application)))
        for application in told["applications"].values()
    )


def _deployments_of(application: Config) -> list[dict[str, Any]]:
    return list(application["deployments"].values())


def _is_steady(deployment: dict[str, Any]) -> bool:
    return deployment["status"] == "HEALTHY" and all(
        replica["state"] == "RUNNING" for replica in deployment["replicas"]
    )
