"""What is sent as a body: bounded in bytes, and told when it cannot be read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

JSON = {"content-type": "application/json"}


async def test_large_body_is_refused_before_anybody_is_asked_who_they_are(
    app: AccountsApp,
) -> None:
    large = b" " * (app.services.settings.request_bytes_max + 1)
    async with app.client() as client:
        for path in ("/v1/keys", "/v1/users", "/v1/nowhere", "/v1/webhooks/test"):
            refused = await client.post(path, content=large, headers=JSON)
            assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large"), path


async def test_large_body_of_no_declared_length_is_refused(app: AccountsApp, anna: Person) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(app.services.settings.request_bytes_max // 1024 + 1):
            yield b" " * 1024

    refused = await anna.client.post("/v1/keys", content=chunks(), headers=JSON)
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")


async def test_body_in_chunks_within_the_bound_is_read(anna: Person) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"na'
        yield b'me": "ci"}'

    made = await anna.client.post("/v1/keys", content=chunks(), headers=JSON)
    assert (made.status_code, made.json()["name"]) == (201, "ci")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b"{"])
async def test_body_that_cannot_be_read_is_told_as_that(anna: Person, body: bytes) -> None:
    refused = await anna.client.post("/v1/keys", content=body, headers=JSON)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_json")
