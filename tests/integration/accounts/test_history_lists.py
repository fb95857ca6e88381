"""Entries and predictions as pages: filters, cursors, other people's."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from billing.credits import Credits
from billing.grants.adding import add_grant
from billing.history.lists import ENTRIES
from billing.history.queries import fetch_part
from billing.history.values import Filter
from billing.ledger import PostgresLedger
from serve.validation import Envelope
from tests.charges import make_charge
from tests.support.accounts import AccountsApp, Person
from tests.support.history import add_charges

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Row = dict[str, Any]


async def read_all(person: Person, path: str, **query: Any) -> list[Row]:
    rows: list[Row] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await person.client.get(path, params={"limit": 7, **query, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["next_cursor"]}


async def charge(app: AccountsApp, account_id: uuid.UUID, **changes: Any) -> uuid.UUID:
    one = make_charge(account_id)._replace(**changes)
    await PostgresLedger(app.services.database).charge([one])
    return one.charge_id


async def grant(app: AccountsApp, account_id: uuid.UUID) -> None:
    async with app.services.database.begin() as connection:
        await add_grant(connection, account_id, Credits.parse("1"), reason="a gift")


async def test_entry_shows_what_it_paid_for(app: AccountsApp, anna: Person) -> None:
    charge_id = await charge(app, anna.account_id, request_id="mine")
    [paid, granted] = (await anna.client.get("/v1/entries")).json()["items"]
    assert granted["kind"] == "grant"
    assert (granted["sequence"], granted["amount"], granted["balance"]) == (1, "100", "100")
    assert (granted["charge_id"], granted["model"]) == (None, None)
    assert paid == paid | {
        "sequence": 2,
        "kind": "charge",
        "amount": "-1",
        "balance": "99",
        "charge_id": str(charge_id),
        "model": "malware",
        "version": "1",
        "key_id": "key",
        "instances": 1,
        "request_id": "mine",
    }


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["created_at"])


async def test_each_filter_is_that_of_plain_python(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    await add_charges(superuser, anna.account_id, 60)
    await grant(app, anna.account_id)
    everything = await read_all(anna, "/v1/entries")
    assert [row["sequence"] for row in everything] == list(range(62, 0, -1))
    since, until = _time(everything[50]), _time(everything[20])
    filters: list[tuple[dict[str, Any], Callable[[Row], bool]]] = [
        ({"kind": "grant"}, lambda row: row["kind"] == "grant"),
        ({"kind": ["grant", "charge"]}, lambda row: True),
        ({"kind": "refund"}, lambda row: False),
        ({"model": "model-2"}, lambda row: row["model"] == "model-2"),
        ({"version": "2"}, lambda row: row["version"] == "2"),
        ({"key": "key1"}, lambda row: row["key_id"] == "key1"),
        ({"since": since.isoformat()}, lambda row: _time(row) >= since),
        ({"until": until.isoformat()}, lambda row: _time(row) < until),
        (
            {"since": since.isoformat(), "until": until.isoformat(), "model": "model-1"},
            lambda row: since <= _time(row) < until and row["model"] == "model-1",
        ),
        ({"since": "9999-12-31T23:59:59-05:00"}, lambda row: False),
        ({"until": "0001-01-01T00:00:00+05:00"}, lambda row: False),
    ]
    paid = await read_all(anna, "/v1/predictions")
    assert len(paid) == 60
    for query, holds in filters:
        assert await read_all(anna, "/v1/entries", **query) == [r for r in everything if holds(r)]
        if "kind" not in query:
            listed = await read_all(anna, "/v1/predictions", **query)
            assert listed == [row for row in paid if holds(row)]


async def test_a_day_is_found_among_many(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    """With times a little out of order, as transactions that overlap leave them."""
    await add_charges(superuser, anna.account_id, 5_000)
    await superuser.execute(
        "UPDATE entries SET created_at = created_at + (random() - 0.5) * interval '20 s'"
    )
    times = [
        (row["sequence"], row["created_at"])
        for row in await superuser.fetch("SELECT sequence, created_at FROM entries")
    ]
    rng = random.Random(1)
    for _ in range(10):
        since = rng.choice(times)[1]
        until = since + timedelta(seconds=rng.randrange(2_000))
        wanted = Filter(since=since, until=until)
        part = await fetch_part(
            app.services.database, anna.account_id, ENTRIES, wanted, before=None, limit=5_001
        )
        expected = sorted((number for number, at in times if since <= at < until), reverse=True)
        assert [item.sequence for item in part.items] == expected


@pytest.mark.parametrize("path", ["/v1/entries", "/v1/predictions"])
async def test_pages_stay_as_they_are_while_rows_arrive(
    app: AccountsApp, anna: Person, path: str
) -> None:
    for _ in range(10):
        await charge(app, anna.account_id)
    expected = await read_all(anna, path)
    seen: list[Row] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await anna.client.get(path, params={"limit": 3, **cursor})).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        await charge(app, anna.account_id)
        await grant(app, anna.account_id)
    assert seen == expected


async def test_a_page_looks_at_so_many_entries_and_no_more(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    await add_charges(superuser, anna.account_id, 99)
    wanted, before, sizes = Filter(version="2"), None, []
    while True:
        part = await fetch_part(
            app.services.database,
            anna.account_id,
            ENTRIES,
            wanted,
            before=before,
            limit=50,
            examined_max=10,
        )
        sizes.append(len(part.items))
        before = part.before
        if before is None:
            break
    assert sizes == [5] * 10


@pytest.mark.parametrize("path", ["/v1/entries", "/v1/predictions"])
async def test_cursor_of_another_list_is_refused(app: AccountsApp, anna: Person, path: str) -> None:
    for _ in range(2):
        await charge(app, anna.account_id)
    other = "/v1/entries" if path == "/v1/predictions" else "/v1/predictions"
    cursor = (await anna.client.get(other, params={"limit": 1})).json()["next_cursor"]
    for wrong in (cursor, "garbage", "e30", "W10", ""):
        refused = await anna.client.get(path, params={"cursor": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=2026-01-01T00:00:00", "kind=gift", "model=%00", "key="]
)
async def test_filter_without_sense_is_refused(anna: Person, query: str) -> None:
    assert (await anna.client.get(f"/v1/entries?{query}")).status_code == 422


async def test_prediction_with_its_answer_and_inputs(app: AccountsApp, anna: Person) -> None:
    manifest = app.services.catalog.find("android-malware")
    schema = manifest.feature_schema
    instances = [[], [schema.names[0]], [schema.names[3], schema.names[-1]]]
    packed = Envelope(manifest.name, None, instances, has_booleans=False).pack(schema).data
    answered = [{"label": "benign", "probability": 0.25}] * 3
    charge_id = await charge(
        app,
        anna.account_id,
        model=manifest.name,
        version=manifest.version,
        instances=3,
        inputs=packed,
        predictions=orjson.dumps(answered),
    )
    found = (await anna.client.get(f"/v1/predictions/{charge_id}")).json()
    assert (found["predictions"], found["inputs"]) == (answered, instances)
    assert (found["amount"], found["refunded"], found["sequence"]) == ("1", "0", 2)


async def test_explanation_is_shown_with_the_prediction_that_has_one(
    app: AccountsApp, anna: Person
) -> None:
    contributions = [{"feature": "SEND_SMS", "value": 1, "contribution": 1.5}]
    explanation = {"base": -2.0, "raw_score": 0.0, "contributions": contributions, "rest": 0.5}
    explained = {"label": "malware", "probability": 0.5, "explanation": explanation}
    plain = {"label": "benign", "probability": 0.25}
    for answered in ([explained], [plain]):
        charge_id = await charge(app, anna.account_id, predictions=orjson.dumps(answered))
        found = (await anna.client.get(f"/v1/predictions/{charge_id}")).json()
        assert found["predictions"] == answered


async def test_prediction_outlives_its_answer(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    charge_id = await charge(app, anna.account_id)
    await superuser.execute("DELETE FROM answers")
    await superuser.execute("INSERT INTO refund_totals VALUES ($1, 1000000, 250000)", charge_id)
    found = (await anna.client.get(f"/v1/predictions/{charge_id}")).json()
    assert (found["predictions"], found["inputs"], found["refunded"]) == (None, None, "0.25")
    [listed] = (await anna.client.get("/v1/predictions")).json()["items"]
    assert found == listed | {"predictions": None, "inputs": None}


async def test_prediction_of_another_account_does_not_exist(
    app: AccountsApp, anna: Person, boris: Person
) -> None:
    charge_id = await charge(app, anna.account_id)
    theirs = await boris.client.get(f"/v1/predictions/{charge_id}")
    unknown = await boris.client.get(f"/v1/predictions/{uuid.uuid4()}")
    assert (theirs.status_code, theirs.json()) == (404, unknown.json())
    assert theirs.json()["code"] == "not_found"
    assert (await boris.client.get("/v1/predictions")).json()["items"] == []


@pytest.mark.parametrize("what", ["balance", "entries", "predictions"])
async def test_operator_reads_what_the_account_reads(
    app: AccountsApp, anna: Person, operator: Person, what: str
) -> None:
    await charge(app, anna.account_id)
    path = f"/v1/accounts/{anna.account_id}/{what}"
    own = await anna.client.get(f"/v1/{what}")
    assert (await operator.client.get(path)).json() == own.json()
    assert (await anna.client.get(path)).status_code == 403
    unknown = await operator.client.get(f"/v1/accounts/{uuid.uuid4()}/{what}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
