"""What a user of the load test does when a connection ends before the answer, and how it judges.

Locust changes the standard library as it is imported, so it runs in a process of its own.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.support.local_server import Answer, Asked, local_server

PROGRAM = """
import json
import sys
from decimal import Decimal
from locust.env import Environment
from loadtest.crowd import crowd
from loadtest.tally import to_plain
from loadtest.users import KeyedCustomer, RetryingCustomer

crowd.paying, crowd.features, crowd.price = ["k"], ["A", "B"], Decimal(1)
KeyedCustomer.host = RetryingCustomer.host = sys.argv[1]
environment = Environment(user_classes=[KeyedCustomer])
environment.create_local_runner()
user = (RetryingCustomer if sys.argv[2] == "retry" else KeyedCustomer)(environment)
user.on_start()
match sys.argv[2]:
    case "keyed":
        user.score_keyed()
    case "unkeyed":
        user.score("dense", [[0, 1]])
    case "retry":
        user.score_keyed()
        user.replay()
        user.reuse_key()
entries = environment.stats.entries.values()
stats = {each.name: [each.num_requests, each.num_failures] for each in entries}
print(json.dumps({"tally": to_plain(crowd.tally), "stats": stats}))
"""
PAID = {
    "id": "an-id",
    "predictions": [{"label": "malware", "probability": 0.5}],
    "credits_charged": "1",
}
CONFLICT = {
    "type": "urn:farebox:problem:idempotency_key_conflict",
    "title": "The key was used with another body",
    "code": "idempotency_key_conflict",
    "request_id": "r",
}


def run_user(what: str, answer: Callable[[int, Asked], Answer]) -> tuple[Any, Any, list[Asked]]:
    """Have a user do `what`; the tally, Locust's figures by name, and what the server was asked."""
    with local_server(lambda asked: answer(len(server.asked), asked)) as server:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url, what],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    return said["tally"], said["stats"], server.asked


def closing_first(count: int, asked: Asked) -> Answer:
    """The first request gets no answer: its connection is closed."""
    if count == 1:
        raise ConnectionAbortedError
    return 200, PAID


def test_a_keyed_request_without_an_answer_is_sent_again_with_its_key() -> None:
    tally, stats, asked = run_user("keyed", closing_first)
    assert len({each.headers["idempotency-key"] for each in asked}) == 1
    assert [each.body for each in asked] == [asked[0].body] * 2
    assert (tally["resent"], tally["answers_200"], tally["unknown_requests"]) == (1, 1, 0)
    assert stats == {"resent": [1, 0], "single": [1, 0]}


def test_a_keyed_request_is_sent_again_once() -> None:
    def closing(_count: int, _asked: Asked) -> Answer:
        raise ConnectionAbortedError

    tally, stats, asked = run_user("keyed", closing)
    assert len(asked) == 2
    assert (tally["resent"], tally["unknown_requests"], tally["unknown"]) == (1, 1, "1")
    assert stats == {"resent": [1, 0], "single": [1, 1]}


def test_an_unkeyed_request_without_an_answer_failed_and_its_price_is_in_doubt() -> None:
    tally, stats, asked = run_user("unkeyed", closing_first)
    assert len(asked) == 1
    assert (tally["resent"], tally["answers_200"], tally["unknown"]) == (0, 0, "1")
    assert stats == {"dense": [1, 1]}


def test_a_replay_is_free_and_a_reused_key_is_refused() -> None:
    def answer(count: int, asked: Asked) -> Answer:
        return (422, CONFLICT) if len(asked.json["instances"]) > 1 else (200, PAID)

    tally, stats, asked = run_user("retry", answer)
    assert [each.body for each in asked[:2]] == [asked[0].body] * 2
    # This server does not mark the second answer as replayed, which is the fault to be found.
    assert tally["wrong"] == ["a retry with the same key is not marked as replayed"]
    assert stats == {"keyed": [1, 0], "replay": [1, 1], "conflict": [1, 0]}
    assert (tally["answers_200"], tally["replays"], tally["conflicts"]) == (1, 1, 1)


def test_a_server_that_answers_wrongly_is_found_out() -> None:
    wrong = {**PAID, "predictions": [{"label": "malware", "probability": 7}]}
    tally, stats, _ = run_user("unkeyed", lambda _count, _asked: (200, wrong))
    assert tally["wrong"] == ["not a probability: 7"]
    assert stats == {"dense": [1, 1]}
