"""What is sent to the API."""

import asyncio

import httpx
import pytest

from frontend.server import Server


def _tell_query(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"query": request.url.query.decode()})


@pytest.mark.parametrize(
    ("path", "params", "query"),
    [
        ("/entries?format=csv&key=session", {}, "format=csv&key=session"),
        ("/entries", {"limit": 2, "cursor": None, "model": ""}, "limit=2"),
        ("/entries", {}, ""),
    ],
)
def test_a_query_in_the_path_is_kept_and_empty_parameters_are_not_sent(
    path: str, params: dict[str, object], query: str
) -> None:
    async def ask() -> object:
        transport = httpx.MockTransport(_tell_query)
        async with httpx.AsyncClient(base_url="http://api", transport=transport) as http:
            return await Server(http).get(path, **params)

    assert asyncio.run(ask()) == {"query": query}
