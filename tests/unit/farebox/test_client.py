"""The client behind `farebox score`: what it sends, and whose words it repeats."""

from __future__ import annotations

from pathlib import Path

import pytest

from farebox.client import ScoringClient
from farebox.errors import FareboxError, NotRunning
from farebox.home import Home, write_private
from farebox.ports import find_free_port
from tests.support.local_server import Answer, Asked, local_server

PROBLEM = {
    "type": "urn:farebox:problem:invalid_request",
    "title": "The request is not valid",
    "status": 422,
    "code": "invalid_request",
    "detail": "2 faults, the first: unknown feature",
    "request_id": "r",
    "errors": [
        {"pointer": "/instances/0/0", "detail": "unknown feature"},
        {"pointer": "/instances/1", "detail": "not a list"},
    ],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("FAREBOX_URL", "FAREBOX_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Home(tmp_path)


def failure_text(answer: Answer) -> str:
    with local_server(lambda _: answer) as server, pytest.raises(FareboxError) as caught:
        ScoringClient(server.url, "k").score("m", [["A"]], None)
    return str(caught.value)


def test_instances_are_sent_with_the_accounts_key() -> None:
    with local_server(lambda _: (200, {"id": "x"})) as server:
        answer = ScoringClient(server.url, "fb_live_x").score("m", [["A"]], "retry-me")
    assert answer == {"id": "x"}
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/predictions")
    assert asked.json == {"model": "m", "instances": [["A"]]}
    assert asked.headers["authorization"] == "Bearer fb_live_x"
    assert asked.headers["idempotency-key"] == "retry-me"
    assert asked.headers["content-type"] == "application/json"


def test_explanations_are_asked_for_where_they_are_wanted() -> None:
    with local_server(lambda _: (200, {})) as server:
        ScoringClient(server.url, "k").score("m", [["A"]], None, explain=True)
    assert server.asked[0].json == {"model": "m", "instances": [["A"]], "explain": True}


def test_no_idempotency_key_is_sent_where_none_was_given() -> None:
    with local_server(lambda _: (200, {})) as server:
        ScoringClient(server.url, "k").score("m", [["A"]], None)
    assert "idempotency-key" not in server.asked[0].headers


def test_a_problem_is_told_in_its_own_words_with_every_fault() -> None:
    assert failure_text((422, PROBLEM)).splitlines() == [
        "The request is not valid (422 invalid_request): 2 faults, the first: unknown feature",
        "  /instances/0/0: unknown feature",
        "  /instances/1: not a list",
    ]


def test_a_problem_without_faults_is_one_line() -> None:
    problem = {name: value for name, value in PROBLEM.items() if name != "errors"}
    assert len(failure_text((422, problem)).splitlines()) == 1


def test_an_answer_that_is_no_json_is_shown_as_it_is() -> None:
    assert failure_text((502, "<h1>bad gateway</h1>")) == "HTTP 502: <h1>bad gateway</h1>"


@pytest.mark.parametrize("content", [{"message": "no route"}, ["x"], None])
def test_an_answer_that_is_no_problem_document_is_shown_as_it_is(content: object) -> None:
    assert failure_text((503, content)).startswith("HTTP 503: ")


def test_nobody_there_is_told_with_what_to_do() -> None:
    url = f"http://127.0.0.1:{find_free_port()}"
    with pytest.raises(NotRunning, match="make up") as caught:
        ScoringClient(url, "k").score("m", [["A"]], None)
    assert url in str(caught.value)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{find_free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with local_server(lambda _: (200, {})) as server:
        assert ScoringClient(server.url, "k").score("m", [["A"]], None) == {}


def test_without_a_product_or_variables_it_says_what_to_do(home: Home) -> None:
    with pytest.raises(NotRunning, match="FAREBOX_URL and FAREBOX_API_KEY"):
        ScoringClient.from_environment(home)


def answer_with_key(asked: Asked) -> Answer:
    return 200, {"key": asked.headers["authorization"]}


def test_the_demo_accounts_key_is_found(home: Home) -> None:
    with local_server(answer_with_key) as server:
        write_private(home.demo, f"FAREBOX_URL={server.url}\nFAREBOX_API_KEY=demo-key\n")
        client = ScoringClient.from_environment(home)
        assert client.score("m", [[]], None) == {"key": "Bearer demo-key"}


def test_variables_win_over_the_demo_account(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with local_server(answer_with_key) as server:
        write_private(home.demo, f"FAREBOX_URL={server.url}\nFAREBOX_API_KEY=demo-key\n")
        monkeypatch.setenv("FAREBOX_API_KEY", "my-key")
        client = ScoringClient.from_environment(home)
        assert client.score("m", [[]], None) == {"key": "Bearer my-key"}
