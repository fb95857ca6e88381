"""Scoring requests on real connections: what is read of a socket, what is written, who is kept."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import pytest

from tests.support.scoring_server import (
    ScoringServer,
    make_chunked,
    make_request,
    scoring,
    serve,
    wait_until,
)
from tests.support.serving import (
    GOOD_ROW,
    Models,
    Replica,
    make_body,
    make_replica,
)

pytestmark = pytest.mark.anyio

PACKED = "application/octet-stream"
BITS = f"{PACKED}; layout=bits"
ROUTE = "/v1/predictions"


@pytest.fixture
async def server(replica: Replica) -> AsyncIterator[ScoringServer]:
    async with serve(replica) as running:
        yield running


@pytest.fixture
async def bounded(models: Models) -> Replica:
    return make_replica(models, body_bytes_max=1024)


async def test_an_answer_has_every_header_once_and_never_saw_asgi(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    answer = await client.ask(scoring(replica, x_request_id="order-42", idempotency_key="k-1"))
    assert answer.status == 200
    assert answer.json["predictions"][0]["label"] == "malware"
    assert parsedate_to_datetime(answer.headers["date"])
    assert {name: value for name, value in answer.headers.items() if name != "date"} == {
        "server": "uvicorn",
        "content-type": "application/json",
        "idempotency-key": "k-1",
        "x-request-id": "order-42",
        "content-length": str(len(answer.body)),
    }
    assert server.asgi == []
    assert [charge.request_id for charge in replica.charged] == ["order-42"]


@pytest.mark.parametrize("sent", ["", "two words", "ä", "x" * 129])
async def test_without_a_request_id_that_can_be_logged_one_is_made(
    replica: Replica, server: ScoringServer, sent: str
) -> None:
    answer = await (await server.connect()).ask(scoring(replica, x_request_id=sent))
    assert uuid.UUID(answer.headers["x-request-id"]).version == 7
    assert uuid.UUID(answer.headers["idempotency-key"]).version == 8
    assert replica.charged[0].request_id == answer.headers["x-request-id"]


async def test_a_refusal_names_its_request_in_header_and_body(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    answer = await client.ask(scoring(replica, b"{", x_request_id="r-1"))
    assert (answer.status, answer.json["code"], answer.json["request_id"]) == (
        422,
        "invalid_json",
        "r-1",
    )
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.ask(scoring(replica))).status == 200


async def test_a_connection_takes_one_request_after_the_other(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    for left in range(99, 94, -1):
        answer = await client.ask(scoring(replica))
        assert "connection" not in answer.headers
        assert answer.json["credits_balance"] == str(left)
    assert (len(server.connections), server.asgi) == (1, [])


async def test_a_request_comes_in_any_segments(replica: Replica, server: ScoringServer) -> None:
    whole = scoring(replica, make_body(GOOD_ROW, []), idempotency_key="k")
    client = await server.connect()
    first = await client.ask(whole)
    for size in (1, 7, 100):
        pieces = [whole[place : place + size] for place in range(0, len(whole), size)]
        assert (await client.ask(*pieces)).body == first.body
    assert (len(replica.charged), server.asgi) == (4, [])
    assert await replica.balance() == "98"


async def test_a_body_may_come_in_chunks(replica: Replica, server: ScoringServer) -> None:
    body = make_body(GOOD_ROW, [])
    client = await server.connect()
    answer = await client.ask(make_chunked(body[:5], body[5:], authorization=replica.anna))
    assert [each["label"] for each in answer.json["predictions"]] == ["malware", "goodware"]
    assert (await client.ask(scoring(replica))).status == 200
    assert server.asgi == []


async def test_what_trails_the_chunks_is_no_header(replica: Replica, server: ScoringServer) -> None:
    trailers = f"authorization: {replica.anna}\r\n"
    answer = await (await server.connect()).ask(make_chunked(make_body(), trailers=trailers))
    assert answer.status == 401


async def test_pipelined_requests_are_answered_in_order(
    replica: Replica, server: ScoringServer
) -> None:
    replica.scorer.gate.clear()
    client = await server.connect()
    await client.send(
        scoring(replica, x_request_id="r-0")
        + make_request(method="GET", target="/healthz", content_length="", x_request_id="r-1")
        + scoring(replica, x_request_id="r-2")
        + scoring(replica, b"{", x_request_id="r-3")
    )
    await wait_until(lambda: replica.scorer.rows)
    replica.scorer.gate.set()
    answers = [await client.read() for _ in range(4)]
    assert [answer.headers.get("x-request-id") for answer in answers][::2] == ["r-0", "r-2"]
    assert [answer.status for answer in answers] == [200, 200, 200, 422]
    assert answers[1].json == {"status": "ok"}
    assert (await client.ask(scoring(replica))).status == 200
    assert server.asgi == ["/healthz", ROUTE, ROUTE]


async def test_other_routes_and_methods_share_the_connection(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    assert (await client.ask(scoring(replica))).status == 200
    for method, target, status in [
        ("GET", "/healthz", 200),
        ("GET", ROUTE, 405),
        ("POST", ROUTE + "/", 404),
        ("POST", ROUTE + "s", 404),
        ("GET", "/v1/account", 401),
    ]:
        request = make_request(method=method, target=target, content_length="")
        answer = await client.ask(request, method=method)
        assert (answer.status, target) == (status, target)
        assert (await client.ask(scoring(replica))).status == 200
    assert await replica.balance() == "94"
    assert ROUTE in server.asgi  # as another method


async def test_a_connection_is_closed_where_the_client_asks(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    answer = await client.ask(scoring(replica, connection="close"))
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await client.is_closed()


async def test_http_1_0_is_answered_and_closed(replica: Replica, server: ScoringServer) -> None:
    client = await server.connect()
    answer = await client.ask(scoring(replica, version="1.0"))
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await client.is_closed()
    assert server.asgi == [ROUTE]


async def test_a_client_that_waits_to_send_its_body_is_told_to(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    head, body = scoring(replica, expect="100-continue").split(b"\r\n\r\n")
    await client.send(head + b"\r\n\r\n")
    async with asyncio.timeout(30):
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await client.ask(body)).status == 200
    assert (await client.ask(scoring(replica))).status == 200


async def test_a_body_declared_too_large_is_refused_before_it_is_sent(bounded: Replica) -> None:
    async with serve(bounded) as server:
        client = await server.connect()
        answer = await client.ask(make_request(length=1025, authorization=bounded.anna))
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")
        assert answer.headers["connection"] == "close"
        assert await client.is_closed()
        assert bounded.seen.outcomes == ["body_too_large"]


async def test_a_body_is_bounded_to_the_byte_where_no_length_is_declared(bounded: Replica) -> None:
    fits = make_body().ljust(1024)
    headers = {"authorization": bounded.anna}
    async with serve(bounded) as server:
        client = await server.connect()
        assert (await client.ask(make_chunked(fits[:500], fits[500:], **headers))).status == 200
        answer = await client.ask(make_chunked(fits[:500], fits[500:], b" ", **headers))
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert await client.is_closed()
        assert bounded.seen.outcomes == ["charged", "body_too_large"]


async def test_what_follows_a_refused_body_is_not_charged(bounded: Replica) -> None:
    too_large = make_chunked(b" " * 1025, authorization=bounded.anna)
    async with serve(bounded) as server:
        client = await server.connect()
        assert (await client.ask(too_large + scoring(bounded) * 2)).status == 413
        assert await client.is_closed()
        await wait_until(lambda: not server.uvicorn.server_state.tasks)
    assert bounded.seen.outcomes == ["body_too_large"]
    assert await bounded.balance() == "100"


@pytest.mark.parametrize(
    "raw",
    [
        b"NONSENSE\r\n\r\n",
        b"POST /v1/predictions HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/predictions HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/predictions HTTP/1.1\r\nno colon\r\n\r\n",
        make_request(b"{}", transfer_encoding="chunked"),
        make_request(content_length="", transfer_encoding="chunked") + b"ZZ\r\n",
    ],
)
async def test_what_is_not_http_is_told_so_and_closed(
    replica: Replica, server: ScoringServer, raw: bytes
) -> None:
    client = await server.connect()
    assert (await client.ask(scoring(replica))).status == 200
    answer = await client.ask(raw)
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert await client.is_closed()
    await wait_until(lambda: not server.connections)
    assert len(replica.charged) == 1


async def test_a_client_that_left_is_charged_once_and_can_fetch_its_answer(
    replica: Replica, server: ScoringServer
) -> None:
    troubles: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: troubles.append(said))
    request = scoring(replica, idempotency_key="k")
    replica.scorer.gate.clear()
    client = await server.connect()
    await client.send(request)
    await wait_until(lambda: replica.scorer.rows)
    client.writer.close()
    await wait_until(lambda: not server.connections)
    assert len(server.uvicorn.server_state.tasks) == 1
    replica.scorer.gate.set()
    await wait_until(lambda: not server.uvicorn.server_state.tasks)
    assert await replica.balance() == "99"
    again = await (await server.connect()).ask(request)
    assert (again.status, again.headers["idempotency-replayed"]) == (200, "true")
    assert await replica.balance() == "99"
    assert troubles == []


async def test_a_client_that_left_before_its_body_ended_is_not_charged(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    await client.send(scoring(replica)[:-1])
    await wait_until(lambda: server.connections and server.connections[0].cycle)
    client.writer.close()
    await wait_until(lambda: not server.connections)
    assert not server.uvicorn.server_state.tasks
    assert replica.charged == []


async def test_a_shutdown_waits_for_what_is_under_way(
    replica: Replica, server: ScoringServer
) -> None:
    replica.scorer.gate.clear()
    idle, busy = await server.connect(), await server.connect()
    await busy.send(scoring(replica))
    await wait_until(lambda: replica.scorer.rows)
    server.uvicorn.should_exit = True
    assert await idle.is_closed()
    assert not server.task.done()
    replica.scorer.gate.set()
    answer = await busy.read()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await busy.is_closed()
    await server.task


async def test_a_shutdown_waits_for_a_body_that_is_still_coming(
    replica: Replica, server: ScoringServer
) -> None:
    whole = scoring(replica)
    idle, busy = await server.connect(), await server.connect()
    await busy.send(whole[:-9])
    await wait_until(lambda: any(each.cycle for each in server.connections))
    server.uvicorn.should_exit = True
    assert await idle.is_closed()
    answer = await busy.ask(whole[-9:])
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    await server.task


async def test_a_shutdown_waits_for_the_charge_of_a_client_that_left(
    replica: Replica, server: ScoringServer
) -> None:
    replica.scorer.gate.clear()
    client = await server.connect()
    await client.send(scoring(replica))
    await wait_until(lambda: replica.scorer.rows)
    client.writer.close()
    await wait_until(lambda: not server.connections)
    server.uvicorn.should_exit = True
    ended, _ = await asyncio.wait([server.task], timeout=0.4)  # uvicorn looks every 0.1 s
    assert not ended
    replica.scorer.gate.set()
    await server.task
    assert await replica.balance() == "99"


@pytest.mark.parametrize("sent", [b"", b"POST /v1/pred"])
async def test_a_silent_connection_is_closed(replica: Replica, sent: bytes) -> None:
    async with serve(replica, timeout_keep_alive_seconds=0.05) as server:
        client = await server.connect()
        await client.send(sent)
        assert await client.is_closed()


async def test_a_connection_that_waits_for_its_answer_is_not_silent(replica: Replica) -> None:
    replica.scorer.gate.clear()
    async with serve(replica, timeout_keep_alive_seconds=0.05) as server:
        client = await server.connect()
        await client.send(scoring(replica))
        await wait_until(lambda: replica.scorer.rows)
        await asyncio.sleep(0.2)
        replica.scorer.gate.set()
        assert (await client.read()).status == 200


async def test_silence_is_counted_from_what_was_heard_last(
    replica: Replica, server: ScoringServer
) -> None:
    client = await server.connect()
    assert (await client.ask(scoring(replica))).status == 200
    [connection] = server.connections
    connection._close_if_silent()
    assert (await client.ask(scoring(replica))).status == 200
    connection.timeout_keep_alive = 0.05  # type: ignore[assignment]
    connection._close_if_silent()
    assert await client.is_closed()
