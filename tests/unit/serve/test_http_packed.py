"""Packed rows over HTTP, and answers as bytes."""

from __future__ import annotations

import numpy as np
import pytest

from serve.predictions import PACKED_FROM
from tests.support.asgi import (
    PREDICTIONS,
    Reply,
    assert_problem,
    call,
    post,
)
from tests.support.serving import (
    GOOD_ROW,
    Replica,
    make_body,
)

pytestmark = pytest.mark.anyio

PACKED = "application/octet-stream"
BITS, BYTES = f"{PACKED}; layout=bits", f"{PACKED}; layout=bytes"
QUERY = "model=fragile"
TWO_ROWS = b"\0\0\1" + b"\0\1\0"
"""SEND_SMS, which is malware, and INTERNET, which is not; POISON, the first, is in neither."""
TWO_ROWS_IN_BITS = b"\x20\x40"


async def post_packed(
    replica: Replica, body: bytes = TWO_ROWS, query: str = QUERY, **headers: str
) -> Reply:
    return await post(
        replica.app, replica.anna, body, query=query, **({"content_type": BYTES} | headers)
    )


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (TWO_ROWS, BYTES),
        (TWO_ROWS_IN_BITS, BITS),
        (TWO_ROWS_IN_BITS, "Application/Octet-Stream;Layout=Bits"),
        (TWO_ROWS_IN_BITS, f'{PACKED}; x=y; layout="bits"'),
    ],
)
async def test_packed_rows_are_answered_as_json_would_be(
    replica: Replica, body: bytes, media_type: str
) -> None:
    packed = await post_packed(replica, body, content_type=media_type)
    json_rows = await post(replica.app, replica.anna, make_body(["SEND_SMS"], ["INTERNET"]))
    assert packed.status == json_rows.status == 200
    assert packed.headers["content-type"] == "application/json"
    assert packed.json["predictions"] == json_rows.json["predictions"]
    assert (packed.json["credits_charged"], json_rows.json["credits_balance"]) == ("2", "96")


@pytest.mark.parametrize("rows", [1, 2, PACKED_FROM - 1, PACKED_FROM, 40])
async def test_probabilities_are_answered_as_bytes_where_accept_names_them(
    replica: Replica, rows: int
) -> None:
    reply = await post_packed(replica, TWO_ROWS[:3] * rows, accept=PACKED, idempotency_key="k")
    stored = await call(
        replica.app,
        f"{PREDICTIONS}/{reply.headers['farebox-prediction-id']}",
        headers={"authorization": replica.anna},
    )
    assert np.frombuffer(reply.body, "<f8").tolist() == [
        each["probability"] for each in stored.json["predictions"]
    ]
    assert reply.headers == {
        "content-type": PACKED,
        "content-length": str(8 * rows),
        "idempotency-key": "k",
        "farebox-prediction-id": stored.json["id"],
        "farebox-model": "fragile",
        "farebox-version": "1",
        "farebox-credits-charged": str(rows),
        "farebox-credits-balance": str(100 - rows),
    }


async def test_json_may_be_answered_as_bytes_too(replica: Replica) -> None:
    accept = f"application/json;q=0.5, {PACKED.upper()}"
    reply = await post(replica.app, replica.anna, make_body(GOOD_ROW, []), accept=accept)
    assert (reply.headers["content-type"], len(reply.body)) == (PACKED, 16)


async def test_a_refusal_is_a_problem_whatever_is_accepted(replica: Replica) -> None:
    assert_problem(await post_packed(replica, b"", accept=PACKED), 422, "invalid_request")


@pytest.mark.parametrize("rows", [1, PACKED_FROM])
async def test_an_answer_is_replayed_in_either_form(replica: Replica, rows: int) -> None:
    body = TWO_ROWS[:3] * rows
    replies = [
        await post_packed(replica, body, accept=accept, idempotency_key="k")
        for accept in (PACKED, "", PACKED, "application/json")
    ]
    first, as_json, again, _ = replies
    assert [reply.status for reply in replies] == [200] * 4
    assert ["idempotency-replayed" in reply.headers for reply in replies] == [False, *[True] * 3]
    assert again.headers == first.headers | {"idempotency-replayed": "true"}
    assert again.body == first.body
    assert as_json.json["id"] == first.headers["farebox-prediction-id"]
    assert [each["probability"] for each in as_json.json["predictions"]] == (
        np.frombuffer(first.body, "<f8").tolist()
    )
    assert await replica.balance() == str(100 - rows)


@pytest.mark.parametrize(
    ("body", "query", "media_type"),
    [
        (TWO_ROWS + TWO_ROWS, QUERY, BYTES),
        (TWO_ROWS, QUERY + "&version=1", BYTES),
        (TWO_ROWS, QUERY, BITS),
        (make_body(["SEND_SMS"], ["INTERNET"]), "", "application/json"),
    ],
    ids=["body", "query", "layout", "json"],
)
async def test_a_key_stands_for_one_body_query_and_layout(
    replica: Replica, body: bytes, query: str, media_type: str
) -> None:
    await post_packed(replica, idempotency_key="k")
    other = await post_packed(replica, body, query, content_type=media_type, idempotency_key="k")
    assert (other.status, other.json["code"]) == (422, "idempotency_key_conflict")
    assert await replica.balance() == "98"


@pytest.mark.parametrize(
    "media_type",
    [PACKED, f"{PACKED};", f"{PACKED}; layout=", f"{PACKED}; layout=words", f"{PACKED}; bits"],
)
async def test_packed_rows_say_their_layout(replica: Replica, media_type: str) -> None:
    reply = await post_packed(replica, content_type=media_type)
    assert_problem(reply, 415, "unsupported_media_type")
    assert f"{PACKED}; layout=bits" in reply.json["detail"]
    assert "layout=bytes" in reply.json["detail"]


async def test_another_media_type_is_told_both_that_are_taken(replica: Replica) -> None:
    detail = (await post(replica.app, replica.anna, b"", content_type="text/csv")).json["detail"]
    assert "application/json" in detail
    assert f"{PACKED}; layout=bits" in detail


async def test_packed_rows_are_not_taken_compressed(replica: Replica) -> None:
    reply = await post_packed(replica, content_encoding="gzip")
    assert_problem(reply, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "invalid_request"),
        ("model=none", 404, "model_not_found"),
        ("model=fragile&version=9", 404, "version_not_found"),
        ("model=fragile&verzion=1", 422, "invalid_request"),
    ],
)
async def test_packed_rows_name_their_model_in_the_query(
    replica: Replica, query: str, status: int, code: str
) -> None:
    assert_problem(await post_packed(replica, query=query), status, code)
    assert await replica.balance() == "100"


async def test_the_query_is_nothing_to_json(replica: Replica) -> None:
    reply = await post(replica.app, replica.anna, make_body(), query="model=none&x")
    assert reply.status == 200
