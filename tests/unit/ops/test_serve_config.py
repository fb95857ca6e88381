"""A change has taken effect once nothing is starting, changing or draining."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ops.sweep import serve_config
from ops.sweep.serve_config import NotApplied, RunningConfig, restoring
from tests.support.local_server import Answer, Asked, LocalServer, local_server

SETTLED = {"status": "HEALTHY", "replicas": [{"state": "RUNNING"}]}
DRAINING = {"status": "HEALTHY", "replicas": [{"state": "RUNNING"}, {"state": "STOPPING"}]}
CHANGING = {"status": "UPDATING", "replicas": [{"state": "RUNNING"}]}
APPLICATION = {"name": "scoring", "deployments": [{"name": "Billing", "num_replicas": 1}]}


@pytest.fixture(autouse=True)
def _fast_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_config, "_POLL_SECONDS", 0.001)


def told(deployment: dict[str, Any], at: float, status: str = "RUNNING") -> Answer:
    application = {
        "status": status,
        "last_deployed_time_s": at,
        "deployed_app_config": APPLICATION,
        "deployments": {"Billing": deployment},
    }
    return 200, {
        "proxy_location": "EveryNode",
        "http_options": {"port": 1},
        "controller_info": {},
        "applications": {"scoring": application},
    }


@contextmanager
def product(
    *states: Answer, put: Answer = (200, {})
) -> Iterator[tuple[RunningConfig, LocalServer]]:
    """A dashboard that tells each state once, the last for ever."""
    waiting = list(states)

    def answer(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return put
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    with local_server(answer) as server:
        running = RunningConfig(server.url)
        try:
            yield running, server
        finally:
            running._dashboard._client.close()


def read_gets(server: LocalServer) -> int:
    return sum(asked.method == "GET" for asked in server.asked)


def test_what_is_read_can_be_deployed_again() -> None:
    with product(told(SETTLED, 1)) as (running, _):
        assert running.read() == {
            "proxy_location": "EveryNode",
            "http_options": {"port": 1},
            "applications": [APPLICATION],
        }


@pytest.mark.parametrize("unsettled", [told(SETTLED, 1), told(DRAINING, 2), told(CHANGING, 2)])
def test_a_change_is_waited_for(unsettled: Answer) -> None:
    """Told as before the change, with a replica that drains, or still changing."""
    states = (told(SETTLED, 1), *[unsettled] * 5, told(SETTLED, 2))
    with product(*states) as (running, server):
        running.apply({"applications": [APPLICATION]})
    assert read_gets(server) >= 1 + 5 + serve_config._POLLS_IN_A_ROW


def test_what_is_settled_for_one_moment_is_not_settled() -> None:
    states = (told(SETTLED, 1), told(SETTLED, 2), told(CHANGING, 2), told(SETTLED, 2))
    with product(*states) as (running, server):
        running.apply({"applications": [APPLICATION]})
    assert read_gets(server) == 3 + serve_config._POLLS_IN_A_ROW


def test_a_config_that_serve_refuses_is_told() -> None:
    with (
        product(told(SETTLED, 1), put=(400, "slots must be positive")) as (running, _),
        pytest.raises(NotApplied, match="slots must be positive"),
    ):
        running.apply({})


def test_a_change_that_fails_is_told() -> None:
    states = (told(SETTLED, 1), told(CHANGING, 2, "DEPLOY_FAILED"))
    with product(*states) as (running, _), pytest.raises(NotApplied):
        running.apply({})


@pytest.mark.parametrize("ends", [RuntimeError, KeyboardInterrupt])
def test_the_config_of_before_comes_back_whatever_happens(ends: type[BaseException]) -> None:
    states = (told(SETTLED, 1), told(SETTLED, 1), told(SETTLED, 2))
    with product(*states) as (running, server):
        with pytest.raises(ends), restoring(running):
            raise ends
        [put] = [asked for asked in server.asked if asked.method == "PUT"]
    assert put.json["applications"] == [APPLICATION]
