"""Deploys the committed Serve config through the dashboard's REST API and follows it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import httpx
import yaml

from farebox.errors import StartFailed
from farebox.settings import ProductSettings

_POLL_SECONDS = 0.5
_FAILED = {"DEPLOY_FAILED", "UNHEALTHY"}


def load_serve_config(settings: ProductSettings) -> dict[str, Any]:
    """The Serve config, on this product's ports."""
    config: dict[str, Any] = yaml.safe_load(settings.serve_config.read_text())
    config["http_options"]["port"] = settings.http_port
    if "grpc_options" in config:
        config["grpc_options"]["port"] = settings.grpc_port
    return config


class Deployment:
    """The Serve applications as the dashboard tells them."""

    def __init__(
        self, dashboard_url: str, deadline: float, alive: Callable[[], None] = lambda: None
    ) -> None:
        """`deadline` by `time.monotonic()`; `alive` raises when there is nothing to wait for."""
        token = os.environ.get("RAY_AUTH_TOKEN")
        self._client = httpx.Client(
            base_url=dashboard_url,
            timeout=10,
            trust_env=False,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        self._deadline = deadline
        self._alive = alive

    def wait_for_dashboard(self) -> None:
        """Return when the dashboard answers."""
        self._wait(lambda: self._get("/api/version") is not None, "Ray's dashboard did not come up")

    def deploy(self, config: dict[str, Any]) -> None:
        """Hand the config over; it is refused here when it is wrong."""
        response = self._client.put("/api/serve/applications/", json=config, timeout=60)
        if response.is_error:
            raise StartFailed(f"Ray Serve refused the config: {response.text.strip()[-1500:]}")

    def fetch(self) -> dict[str, Any]:
        """What the dashboard tells of Serve. Raises StartFailed where it does not answer."""
        told = self._get("/api/serve/applications/")
        if told is None:
            raise StartFailed("Ray's dashboard does not answer")
        return told

    def wait_until_running(self, tell: Callable[[str], None]) -> None:
        """Return when every application runs; `tell` hears of each deployment that got there."""
        healthy: set[str] = set()

        def running() -> bool:
            applications = (self._get("/api/serve/applications/") or {}).get("applications", {})
            for application in applications.values():
                if application["status"] in _FAILED:
                    raise StartFailed(f"the application failed: {_why(application)}")
                for name, deployment in application["deployments"].items():
                    if deployment["status"] == "HEALTHY" and name not in healthy:
                        healthy.add(name)
                        tell(f"{name}: {len(deployment['replicas'])} replica(s) healthy")
            statuses = {application["status"] for application in applications.values()}
            return statuses == {"RUNNING"}

        self._wait(running, "the applications did not come up")

    def wait_until_ready(self, base_url: str) -> None:
        """Return when `/readyz` is 200."""

        def ready() -> bool:
            try:
                return httpx.get(f"{base_url}/readyz", timeout=5, trust_env=False).is_success
            except httpx.HTTPError:
                return False

        self._wait(ready, f"{base_url}/readyz did not become 200")

    def _get(self, path: str) -> dict[str, Any] | None:
        try:
            response = self._client.get(path)
        except httpx.HTTPError:
            return None
        answer: dict[str, Any] | None = response.json() if response.is_success else None
        return answer

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        while not condition():
            self._alive()
            if time.monotonic() > self._deadline:
                raise StartFailed(f"{otherwise} in time")
            time.sleep(_POLL_SECONDS)


def _why(application: dict[str, Any]) -> str:
    messages = [application.get("message", "")]
    messages += [each.get("message", "") for each in application["deployments"].values()]
    return "\n".join(message for message in messages if message)
