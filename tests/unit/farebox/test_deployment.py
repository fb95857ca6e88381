"""Deploying over the dashboard's REST API, and what is told of how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from farebox import deployment as deployment_module
from farebox.deployment import Deployment, load_serve_config
from farebox.errors import StartFailed
from farebox.ports import find_free_port
from farebox.settings import ProductSettings
from tests.support.local_server import Answer, Asked, local_server

APPLICATIONS = "/api/serve/applications/"


@pytest.fixture(autouse=True)
def _fast_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_module, "_POLL_SECONDS", 0.005)


def alive() -> None:
    """Ray still runs."""


def follow(
    url: str, seconds: float = 10.0, check_alive: Callable[[], None] = alive
) -> Iterator[Deployment]:
    deployment = Deployment(url, time.monotonic() + seconds, check_alive)
    try:
        yield deployment
    finally:
        deployment._client.close()


def application(status: str, message: str = "", **deployments: Any) -> dict[str, Any]:
    return {"status": status, "message": message, "deployments": deployments}


def one(status: str, replicas: int = 1, message: str = "") -> dict[str, Any]:
    return {"status": status, "replicas": [{}] * replicas, "message": message}


def in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    """Each answer once, the last for ever."""
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def test_the_config_is_the_committed_one_on_this_products_port() -> None:
    config = load_serve_config(ProductSettings(http_port=8123))
    assert config["http_options"]["port"] == 8123
    assert config["http_options"]["host"] == "127.0.0.1"
    names = [each["name"] for each in config["applications"][0]["deployments"]]
    assert names == ["FeatureValidator", "LightGBMScorer", "Billing"]


def test_another_config_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("http_options: {port: 1}\napplications: []\n")
    config = load_serve_config(ProductSettings(http_port=8124, serve_config=path))
    assert config == {"http_options": {"port": 8124}, "applications": []}


def test_the_config_is_handed_over_as_it_is() -> None:
    with local_server(lambda _: (200, {})) as server:
        for deployment in follow(server.url):
            deployment.deploy({"applications": [1]})
    [asked] = server.asked
    assert (asked.method, asked.path) == ("PUT", APPLICATIONS)
    assert asked.json == {"applications": [1]}


def test_a_refused_config_is_told_with_the_reason() -> None:
    with local_server(lambda _: (400, "num_replicas must be positive")) as server:
        for deployment in follow(server.url):
            with pytest.raises(StartFailed, match="num_replicas must be positive"):
                deployment.deploy({})


def test_each_deployment_is_told_once_when_it_is_healthy() -> None:
    told: list[str] = []
    progress = in_turn(
        (200, {"applications": {}}),
        (503, "not yet"),
        (200, {"applications": {"a": application("DEPLOYING", X=one("UPDATING"))}}),
        (
            200,
            {"applications": {"a": application("DEPLOYING", X=one("HEALTHY"), Y=one("UPDATING"))}},
        ),
        (
            200,
            {"applications": {"a": application("RUNNING", X=one("HEALTHY"), Y=one("HEALTHY", 2))}},
        ),
    )
    with local_server(progress) as server:
        for deployment in follow(server.url):
            deployment.wait_until_running(told.append)
    assert told == ["X: 1 replica(s) healthy", "Y: 2 replica(s) healthy"]


def test_one_application_that_does_not_run_yet_is_waited_for() -> None:
    ready = application("RUNNING", X=one("HEALTHY"))
    progress = in_turn(
        (200, {"applications": {"a": ready, "b": application("DEPLOYING")}}),
        (200, {"applications": {"a": ready, "b": application("RUNNING")}}),
    )
    with local_server(progress) as server:
        for deployment in follow(server.url):
            deployment.wait_until_running(lambda _: None)
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", ["DEPLOY_FAILED", "UNHEALTHY"])
def test_a_failed_application_is_told_in_its_own_words(status: str) -> None:
    failed = application(
        status, "it did not start", X=one("HEALTHY"), Y=one("UNHEALTHY", message="no such model")
    )
    with local_server(lambda _: (200, {"applications": {"a": failed}})) as server:
        for deployment in follow(server.url):
            with pytest.raises(StartFailed) as caught:
                deployment.wait_until_running(lambda _: None)
    assert "it did not start" in str(caught.value)
    assert "no such model" in str(caught.value)


def test_a_dashboard_that_comes_up_late_is_waited_for() -> None:
    answers = in_turn((503, "starting"), (503, "starting"), (200, {"version": "4"}))
    with local_server(answers) as server:
        for deployment in follow(server.url):
            deployment.wait_for_dashboard()
    assert len(server.asked) == 3


def test_a_dashboard_that_does_not_come_up_is_given_up() -> None:
    for deployment in follow(f"http://127.0.0.1:{find_free_port()}", seconds=0.05):
        with pytest.raises(StartFailed, match="dashboard did not come up in time"):
            deployment.wait_for_dashboard()


def test_waiting_ends_when_there_is_nothing_to_wait_for() -> None:
    def ended() -> None:
        raise StartFailed("Ray ended by itself")

    for deployment in follow(f"http://127.0.0.1:{find_free_port()}", check_alive=ended):
        with pytest.raises(StartFailed, match="Ray ended by itself"):
            deployment.wait_for_dashboard()


def test_ready_is_when_readyz_says_so() -> None:
    with local_server(in_turn((503, {}), (200, {}))) as server:
        for deployment in follow(server.url):
            deployment.wait_until_ready(server.url)
    assert [asked.path for asked in server.asked] == ["/readyz", "/readyz"]


def test_never_ready_is_told() -> None:
    with local_server(lambda _: (503, {})) as server:
        for deployment in follow(server.url, seconds=0.05):
            with pytest.raises(StartFailed, match="readyz did not become 200"):
                deployment.wait_until_ready(server.url)
