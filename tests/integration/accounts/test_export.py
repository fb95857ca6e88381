"""A whole history as a file, sent while it is made."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import asyncpg
import httpx
import pyarrow as pa
import pytest
from pyarrow import parquet

from billing.history.lists import ENTRIES
from billing.history.queries import fetch_span, stream_chunks
from billing.history.values import Filter
from billing.ledger import PostgresLedger
from serve.accounts.api import build_accounts_api
from serve.http import AsgiApp, Message
from tests.charges import make_charge
from tests.support.accounts import AccountsApp, Person
from tests.support.asgi import make_scope
from tests.support.history import add_charges

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Row = dict[str, Any]
PATHS = pytest.mark.parametrize("path", ["/v1/entries", "/v1/predictions"])


def read_csv(answer: httpx.Response) -> list[Row]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def read_parquet(answer: httpx.Response) -> list[Row]:
    return parquet.read_table(pa.BufferReader(answer.content)).to_pylist()


async def read_newest(person: Person, path: str, **query: str) -> list[Row]:
    answer = await person.client.get(path, params={"limit": 500, **query})
    rows: list[Row] = answer.json()["items"]
    return rows


def as_text(row: Row) -> Row:
    return {name: "" if value is None else str(value) for name, value in row.items()}


def as_json(row: Row) -> Row:
    """A Parquet row as the list shows it."""
    shown = dict(row)
    for name, value in row.items():
        if isinstance(value, Decimal):
            shown[name] = f"{value.normalize():f}"
    shown["created_at"] = row["created_at"].isoformat().replace("+00:00", "Z")
    return shown


@PATHS
@pytest.mark.parametrize("query", [{}, {"model": "model-1"}, {"key": "no-such-key"}])
async def test_files_say_what_the_list_says(
    anna: Person, superuser: asyncpg.Connection, path: str, query: dict[str, str]
) -> None:
    await add_charges(superuser, anna.account_id, 200)
    expected = (await read_newest(anna, path, **query))[::-1]
    assert bool(expected) == ("key" not in query)
    csv_answer = await anna.client.get(path, params={"format": "csv", "limit": 3, **query})
    assert read_csv(csv_answer) == [as_text(row) for row in expected]
    parquet_answer = await anna.client.get(path, params={"format": "parquet", **query})
    assert [as_json(row) for row in read_parquet(parquet_answer)] == expected
    name = parquet_answer.headers["content-disposition"]
    assert name.startswith(f'attachment; filename="farebox-{path.rpartition("/")[2]}-')


async def test_parquet_has_types(anna: Person) -> None:
    answer = await anna.client.get("/v1/entries", params={"format": "parquet"})
    schema = parquet.read_schema(pa.BufferReader(answer.content))
    assert schema.field("amount").type == pa.decimal128(20, 6)
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("sequence").type == pa.int64()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1"])
async def test_no_cell_of_a_csv_is_a_formula(app: AccountsApp, anna: Person, text: str) -> None:
    charge = make_charge(anna.account_id)._replace(request_id=text)
    await PostgresLedger(app.services.database).charge([charge])
    [_, paid] = read_csv(await anna.client.get("/v1/entries", params={"format": "csv"}))
    assert (paid["request_id"], paid["amount"]) == (f"'{text}", "-1")
    answer = await anna.client.get("/v1/entries", params={"format": "parquet"})
    assert read_parquet(answer)[1]["request_id"] == text


async def test_rows_that_arrive_during_an_export_are_left_out(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    await add_charges(superuser, anna.account_id, 20)
    database = app.services.database
    span = await fetch_span(database, anna.account_id, Filter())
    seen: list[int] = []
    chunks = stream_chunks(database, anna.account_id, ENTRIES, Filter(), span, chunk_entries=4)
    async for chunk in chunks:
        assert len(chunk) <= 4
        seen += [entry.sequence for entry in chunk]
        await add_charges(superuser, anna.account_id, 3)
    assert seen == list(range(1, 22))


async def test_operator_exports_an_account(anna: Person, operator: Person) -> None:
    path = f"/v1/accounts/{anna.account_id}/entries"
    answer = await operator.client.get(path, params={"format": "csv"})
    assert [row["kind"] for row in read_csv(answer)] == ["grant"]


class SlowClient:
    """Takes the beginning of a file and then nothing more, until it is let go."""

    def __init__(self, api: AsgiApp, token: str) -> None:
        self.began = asyncio.Event()
        self.goes_away = asyncio.Event()
        scope = make_scope("/v1/entries", "GET", {"authorization": f"Bearer {token}"})
        scope["query_string"] = b"format=csv"
        self.done = asyncio.create_task(self._run(api, scope))

    async def _run(self, api: AsgiApp, scope: Any) -> None:
        await api(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        await self.goes_away.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message.get("body"):
            self.began.set()
            await asyncio.Event().wait()


async def export(person: Person, get: Callable[..., Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {person.token}"}
    answer: httpx.Response = await get("/v1/entries", params={"format": "csv"}, headers=headers)
    return answer


async def test_exports_are_bounded_and_end_with_their_client(
    app: AccountsApp, anna: Person, boris: Person, operator: Person
) -> None:
    api = build_accounts_api(app.services)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url="http://test"
    ) as client:
        first = SlowClient(api, anna.token)
        await first.began.wait()
        refused = await export(anna, client.get)
        assert (refused.status_code, refused.json()["code"]) == (429, "export_limit_reached")
        assert int(refused.headers["retry-after"]) > 0
        second = SlowClient(api, boris.token)
        await second.began.wait()
        assert (await export(operator, client.get)).status_code == 429
        assert (await anna.client.get("/v1/entries")).status_code == 200
        for slow in (first, second):
            slow.goes_away.set()
            await slow.done
        assert (await export(anna, client.get)).status_code == 200
        assert (await export(operator, client.get)).status_code == 200
