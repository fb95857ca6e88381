"""An export keeps a few chunks in memory, however long it is."""

from __future__ import annotations

import tracemalloc
from typing import Any

import asyncpg
import pyarrow as pa
import pytest

from serve.accounts.api import build_accounts_api
from serve.http import Message
from tests.support.accounts import AccountsApp, Person
from tests.support.asgi import make_scope
from tests.support.history import add_charges

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ROWS = 100_000
PEAK_BYTES_MAX = 32_000_000
"""Of 100,000 rows as objects there are over 100 MB."""


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_export_holds_few_rows_at_a_time(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection, form: str
) -> None:
    await add_charges(superuser, anna.account_id, ROWS)
    api = build_accounts_api(app.services)
    scope = make_scope("/v1/entries", "GET", {"authorization": f"Bearer {anna.token}"})
    scope["query_string"] = f"format={form}".encode()
    scope["asgi"]["spec_version"] = "2.4"
    sent = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))

    await anna.client.get("/v1/entries", params={"format": form, "model": "none"})  # warms up
    arrow_before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        await api(scope, receive, send)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent > ROWS * 10
    assert peak < PEAK_BYTES_MAX
    assert pa.total_allocated_bytes() - arrow_before < PEAK_BYTES_MAX
