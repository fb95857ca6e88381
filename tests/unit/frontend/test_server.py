"""The API as the console sees it: every way to fail is one of three."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from frontend.server import Problem, Server, SessionEnded, Unreachable

pytestmark = pytest.mark.anyio
PROBLEM = {"code": "insufficient_credits", "detail": "2 are needed.", "status": 402}


def serve(answer: Callable[[httpx.Request], httpx.Response], token: str | None = "t") -> Server:
    transport = httpx.MockTransport(answer)
    return Server(httpx.AsyncClient(transport=transport, base_url="http://api"), token)


async def test_a_call_carries_the_session_and_the_key() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"id": 1})

    assert await serve(answer).post("/things", {"a": 1}, key="k") == {"id": 1}
    assert seen[0].headers["authorization"] == "Bearer t"
    assert seen[0].headers["idempotency-key"] == "k"


async def test_empty_parameters_are_left_out() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"query": request.url.query.decode()})

    given = await serve(answer).get("/things", model="m", since=None, key="", kind=["a", "b"])
    assert given == {"query": "model=m&kind=a&kind=b"}


async def test_a_query_in_the_path_is_kept() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"query": request.url.query.decode()})

    given = await serve(answer).get("/entries?format=csv&key=session")
    assert given == {"query": "format=csv&key=session"}


async def test_a_problem_document_is_a_problem() -> None:
    server = serve(lambda _: httpx.Response(402, json=PROBLEM, headers={"retry-after": "3"}))
    with pytest.raises(Problem) as raised:
        await server.get("/things")
    assert (raised.value.status, raised.value.code) == (402, "insufficient_credits")
    assert raised.value.retry_after_seconds == 3


async def test_who_is_not_signed_in_is_told_so_before_anything_is_sent() -> None:
    server = serve(lambda _: pytest.fail("sent"), token=None)
    with pytest.raises(SessionEnded):
        server.as_user(None)
    with pytest.raises(SessionEnded):
        server.as_user("")


async def test_an_ended_session_is_no_mere_problem() -> None:
    server = serve(lambda _: httpx.Response(401, json={"code": "unauthenticated"}))
    with pytest.raises(SessionEnded):
        await server.get("/things")


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(502, text="<html>"),
        httpx.Response(500, json=[]),
        httpx.Response(404, json={}),
    ],
)
async def test_an_error_that_is_no_answer_of_the_api_leaves_open_what_happened(
    response: httpx.Response,
) -> None:
    with pytest.raises(Unreachable):
        await serve(lambda _: response).get("/things")


async def test_a_broken_connection_leaves_open_what_happened() -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broken", request=request)

    with pytest.raises(Unreachable):
        await serve(break_off).post("/things")


async def test_a_list_is_read_over_its_pages_and_no_further_than_asked() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("cursor", 0))
        limit = int(request.url.params["limit"])
        items = [{"n": n} for n in range(start, start + limit)]
        return httpx.Response(200, json={"items": items, "next_cursor": str(start + limit)})

    items, cursor = await serve(answer).pages("/things", 150)
    assert [each["n"] for each in items] == list(range(150))
    assert cursor == "150"


def test_the_token_is_not_told_by_the_servers_repr() -> None:
    assert "secret" not in repr(Server(httpx.AsyncClient(), "secret"))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<p>A proxy's own page</p>"),
        httpx.Response(302, headers={"location": "https://login.example.org/"}),
    ],
)
async def test_an_answer_that_is_not_the_apis_is_none(answer: httpx.Response) -> None:
    with pytest.raises(Unreachable):
        await serve(lambda _: answer).get("/things")
