"""The scoring route over HTTP: what it takes, what it answers, and which headers it carries."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from billing.charges import StoredAnswer
from billing.credits import Credits
from serve.http import answer_body
from serve.pipeline import Answer
from tests.support.asgi import (
    PREDICTIONS,
    Reply,
    assert_problem,
    call,
    is_ours,
    make_scope,
    post,
)
from tests.support.serving import (
    GOOD_ROW,
    POISON_ROW,
    Models,
    Replica,
    make_body,
    make_replica,
    turns,
)

pytestmark = pytest.mark.anyio


async def test_a_paid_answer_has_its_members_in_the_documented_order(replica: Replica) -> None:
    reply = await post(replica.app, replica.anna, make_body(GOOD_ROW, []), idempotency_key="k-1")
    assert reply.status == 200
    assert list(reply.json) == [
        "id",
        "model",
        "version",
        "predictions",
        "credits_charged",
        "credits_balance",
    ]
    assert (reply.json["model"], reply.json["version"]) == ("fragile", "1")
    assert [list(each) for each in reply.json["predictions"]] == [["label", "probability"]] * 2
    assert (reply.json["credits_charged"], reply.json["credits_balance"]) == ("2", "98")
    assert reply.headers == {
        "content-type": "application/json",
        "idempotency-key": "k-1",
        "content-length": str(len(reply.body)),
    }
    assert replica.seen.outcomes == ["charged"]


async def test_a_replay_is_marked_and_equal_but_for_the_balance(replica: Replica) -> None:
    first = await post(replica.app, replica.anna, make_body(), idempotency_key="k")
    await post(replica.app, replica.anna, make_body())
    again = await post(replica.app, replica.anna, make_body(), idempotency_key="k")
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["idempotency-key"] == "k"
    assert again.json == first.json | {"credits_balance": "98"}
    assert replica.seen.outcomes == ["charged", "charged", "replayed"]


async def test_without_a_key_the_answer_names_ours(replica: Replica) -> None:
    first, second = [await post(replica.app, replica.anna, make_body()) for _ in range(2)]
    assert is_ours(first.headers["idempotency-key"])
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


async def test_our_key_fetches_the_answer_again(replica: Replica) -> None:
    first = await post(replica.app, replica.anna, make_body())
    key = first.headers["idempotency-key"]
    again = await post(replica.app, replica.anna, make_body(), idempotency_key=key)
    assert again.json == first.json
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.farebox+json",
    ],
)
async def test_json_is_taken_by_any_of_its_names(replica: Replica, media_type: str) -> None:
    reply = await post(replica.app, replica.anna, make_body(), content_type=media_type)
    assert reply.status == 200


@pytest.mark.parametrize("media_type", ["", "text/plain", "text/json", "application/jsonx", "json"])
async def test_another_media_type_is_refused(replica: Replica, media_type: str) -> None:
    reply = await post(replica.app, replica.anna, make_body(), content_type=media_type)
    assert_problem(reply, 415, "unsupported_media_type")


async def test_a_content_encoding_is_refused_unless_it_is_none(replica: Replica) -> None:
    packed = await post(replica.app, replica.anna, make_body(), content_encoding="gzip")
    plain = await post(replica.app, replica.anna, make_body(), content_encoding="identity")
    assert_problem(packed, 415, "unsupported_media_type")
    assert plain.status == 200


async def test_a_body_declared_too_large_is_refused_unread(models: Models) -> None:
    replica = make_replica(models, body_bytes_max=1024)
    scope = make_scope(PREDICTIONS, "POST", {"content-type": "application/json"})
    scope["headers"].append((b"content-length", b"1025"))
    reply = Reply()

    async def receive() -> dict[str, object]:
        raise AssertionError("the body was read")

    async def send(message: object) -> None:
        reply.messages.append(message)  # type: ignore[arg-type]

    await replica.app(scope, receive, send)  # type: ignore[arg-type]
    assert_problem(reply, 413, "body_too_large")
    assert reply.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["-1", "many", "1e3"])
async def test_a_length_that_is_no_number_is_refused(replica: Replica, length: str) -> None:
    reply = await post(replica.app, replica.anna, make_body(), content_length=length)
    assert_problem(reply, 413, "body_too_large")


async def test_a_body_is_bounded_to_the_byte_whole_or_in_chunks(models: Models) -> None:
    replica = make_replica(models, body_bytes_max=1024)
    fits = make_body().ljust(1024)
    assert (await post(replica.app, replica.anna, fits)).status == 200
    assert (await post(replica.app, replica.anna, fits[:500], fits[500:])).status == 200
    for chunks in ([fits + b" "], [fits[:500], fits[500:], b" "], [fits, b" " * 9, b"unread"]):
        assert_problem(await post(replica.app, replica.anna, *chunks), 413, "body_too_large")


async def test_a_body_in_chunks_is_put_together_in_order(replica: Replica) -> None:
    body = make_body(GOOD_ROW, [])
    pieces = [body[place : place + 7] for place in range(0, len(body), 7)]
    reply = await post(replica.app, replica.anna, *pieces)
    assert [each["label"] for each in reply.json["predictions"]] == ["malware", "goodware"]


@pytest.mark.parametrize("key", ["two words", "", "k" * 256, "ä", "tab\tbed"])
async def test_a_malformed_key_is_refused_under_a_key_of_ours(replica: Replica, key: str) -> None:
    headers = {"content-type": "application/json", "idempotency-key": key}
    reply = await call(replica.app, PREDICTIONS, "POST", headers, make_body())
    assert_problem(reply, 422, "invalid_idempotency_key")
    assert replica.scorer.rows == []


async def test_a_disconnect_before_the_body_ended_charges_nothing(replica: Replica) -> None:
    whole = make_body()
    for chunks in ([whole], [whole[:9], whole[9:]]):
        reply = await post(replica.app, replica.anna, *chunks, ends=False)
        assert_problem(reply, 422, "invalid_json")
    assert replica.scorer.rows == []
    assert await replica.balance() == "100"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_another_method_is_told_the_right_one(replica: Replica, method: str) -> None:
    reply = await call(replica.app, PREDICTIONS, method)
    assert_problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "POST"


async def test_an_unexpected_error_is_logged_and_not_shown(replica: Replica) -> None:
    replica.scorer.failure = ZeroDivisionError("an inner secret")
    with capture_logs() as logs:
        reply = await post(
            replica.app, replica.anna, make_body(), x_request_id="r-7", idempotency_key="k"
        )
    assert (reply.status, reply.json["code"]) == (500, "internal_error")
    assert reply.headers["idempotency-key"] == "k"
    assert b"secret" not in reply.body
    assert b"Traceback" not in reply.body
    assert [(log["event"], log["request_id"]) for log in logs] == [("request_failed", "r-7")]
    assert logs[0]["exc_info"]
    assert replica.seen.outcomes == ["internal_error"]


async def test_a_refusal_is_not_logged(replica: Replica) -> None:
    with capture_logs() as logs:
        await post(replica.app, replica.anna, make_body(POISON_ROW))
    assert logs == []
    assert replica.seen.outcomes == ["prediction_failed"]


async def test_a_problem_names_the_request_and_the_clients_key(replica: Replica) -> None:
    reply = await post(replica.app, replica.anna, b"{", x_request_id="r-1", idempotency_key="mine")
    assert (reply.status, reply.json["code"]) == (422, "invalid_json")
    assert reply.json["request_id"] == "r-1"
    assert reply.headers["idempotency-key"] == "mine"


async def test_without_an_api_key_the_answer_is_a_challenge(replica: Replica) -> None:
    reply = await post(replica.app, "", make_body())
    assert_problem(reply, 401, "unauthenticated")
    assert reply.headers["www-authenticate"].startswith("Bearer")


async def test_a_body_is_not_read_as_something_else_by_the_request_id(replica: Replica) -> None:
    reply = await post(replica.app, replica.anna, make_body(), x_request_id="r-2")
    assert reply.status == 200
    assert [charge.request_id for charge in replica.charged] == ["r-2"]


async def test_the_same_key_at_the_same_time_waits_by_409(replica: Replica) -> None:
    replica.scorer.gate.clear()
    first = asyncio.create_task(post(replica.app, replica.anna, make_body(), idempotency_key="k"))
    await turns()
    second = await post(replica.app, replica.anna, make_body(), idempotency_key="k")
    replica.scorer.gate.set()
    assert (second.status, second.json["code"]) == (409, "request_in_flight")
    assert second.headers["retry-after"] == "1"
    assert (await first).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/nowhere", "/v1/predictions/"])
async def test_every_other_answer_carries_a_key_too(replica: Replica, path: str) -> None:
    ours = await call(replica.app, path)
    theirs = await call(replica.app, path, headers={"idempotency-key": "mine"})
    malformed = await call(replica.app, path, headers={"idempotency-key": "a b"})
    assert is_ours(ours.headers["idempotency-key"])
    assert theirs.headers["idempotency-key"] == "mine"
    assert is_ours(malformed.headers["idempotency-key"])


async def test_other_routes_are_not_counted_as_scoring(replica: Replica) -> None:
    await call(replica.app, "/healthz")
    assert replica.seen.outcomes == []


async def test_an_unexpected_error_of_another_route_is_a_problem_too(replica: Replica) -> None:
    replica.pipeline.models = None  # type: ignore[assignment]
    reply = Reply()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: object) -> None:
        reply.messages.append(message)  # type: ignore[arg-type]

    with pytest.raises(AttributeError):  # the server logs it
        await replica.app(make_scope("/v1/models", "GET", {}), receive, send)  # type: ignore[arg-type]
    assert_problem(reply, 500, "internal_error")


async def test_a_lifespan_goes_to_the_inner_application(replica: Replica) -> None:
    waiting = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return waiting.pop(0)

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])

    await replica.app({"type": "lifespan", "state": {}}, receive, send)  # type: ignore[arg-type]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@given(
    charge_id=st.uuids(),
    probability=st.floats(0, 1),
    amount=st.integers(0, 10**12),
    balance=st.integers(0, 10**15),
)
def test_the_bytes_of_an_answer_are_the_json_of_its_members(
    charge_id: uuid.UUID, probability: float, amount: int, balance: int
) -> None:
    members = {"label": "malware", "probability": probability}
    stored = StoredAnswer(
        charge_id, "a-model", "12", json.dumps([members]).encode(), Credits(amount)
    )
    assert json.loads(answer_body(Answer(stored, Credits(balance), replayed=False))) == {
        "id": str(charge_id),
        "model": "a-model",
        "version": "12",
        "predictions": [members],
        "credits_charged": str(Credits(amount)),
        "credits_balance": str(Credits(balance)),
    }


def test_stored_predictions_go_out_byte_for_byte() -> None:
    stored = StoredAnswer(uuid.UUID(int=7), "m", "1", b'[ {"odd" :1} ]', Credits.parse("0.5"))
    assert answer_body(Answer(stored, Credits.parse("2"), replayed=False)) == (
        b'{"id":"00000000-0000-0000-0000-000000000007","model":"m","version":"1",'
        b'"predictions":[ {"odd" :1} ],"credits_charged":"0.5","credits_balance":"2"}'
    )


async def test_every_end_is_timed_from_the_requests_arrival(replica: Replica) -> None:
    replica.scorer.gate.clear()
    first = asyncio.create_task(post(replica.app, replica.anna, make_body()))
    await asyncio.sleep(0.02)
    replica.scorer.gate.set()
    await first
    await post(replica.app, replica.anna, b"{")
    await call(replica.app, PREDICTIONS, "GET")
    assert replica.seen.outcomes == ["charged", "invalid_json", "method_not_allowed"]
    charged, *refused = replica.seen.latencies_seconds
    assert 0.02 <= charged < 2
    assert all(0 <= seconds < 0.02 for seconds in refused)
