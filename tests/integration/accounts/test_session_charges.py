"""What a signed-in user scores without an API key carries the key id `session` everywhere."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from billing.ledger import PostgresLedger
from billing.reports.rollups import advance
from tests.charges import make_charge
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LISTS = pytest.mark.parametrize("path", ["/v1/entries", "/v1/predictions"])


@pytest.fixture(autouse=True)
async def charged(app: AccountsApp, anna: Person) -> None:
    """3 by a session, 2 by a key."""
    keys = ["session", "key1", "session", "key1", "session"]
    charges = [make_charge(anna.account_id, "2", key_id=key) for key in keys]
    await PostgresLedger(app.services.database).charge(charges)
    while await advance(app.services.database, 50):
        pass


@LISTS
async def test_lists_are_filtered_by_session(path: str, anna: Person) -> None:
    page = (await anna.client.get(path, params={"key": "session"})).json()
    assert [item["key_id"] for item in page["items"]] == ["session"] * 3


@LISTS
async def test_files_are_filtered_by_session(path: str, anna: Person) -> None:
    query = {"key": "session"}
    text = (await anna.client.get(path, params={**query, "format": "csv"})).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["key_id"] for row in rows] == ["session"] * 3
    content = (await anna.client.get(path, params={**query, "format": "parquet"})).content
    table = parquet.read_table(pa.BufferReader(content))
    assert table.column("key_id").to_pylist() == ["session"] * 3


async def test_operators_filter_by_session_too(anna: Person, operator: Person) -> None:
    path = f"/v1/accounts/{anna.account_id}/entries"
    page = (await operator.client.get(path, params={"key": "session"})).json()
    assert [item["key_id"] for item in page["items"]] == ["session"] * 3


async def test_usage_by_key_tells_sessions_apart(anna: Person) -> None:
    rows = (await anna.client.get("/v1/usage", params={"group": "key"})).json()["rows"]
    assert {row["key_id"]: row["charged"] for row in rows} == {"session": "6", "key1": "4"}


async def test_statements_add_up_both(app: AccountsApp, anna: Person) -> None:
    month = app.clock.time.strftime("%Y-%m")
    statement = (await anna.client.get(f"/v1/statements/{month}")).json()
    [model] = statement["models"]
    assert (model["predictions"], model["charged"]) == (5, "10")


async def test_no_api_key_has_that_id(anna: Person) -> None:
    refused = await anna.client.get("/v1/keys/session")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
