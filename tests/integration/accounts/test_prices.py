"""Prices are seen by everybody, set by admins, and quoted as they are charged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from models.registry import ARTIFACTS_ROOT, read_catalog
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

MODEL = read_catalog(ARTIFACTS_ROOT).names[0]
VERSION = read_catalog(ARTIFACTS_ROOT).find(MODEL).version


async def set_price(person: Person, key: str | None = None, **members: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"model": MODEL, "amount": "2", **members}
    return await person.client.post("/v1/prices", json=body, headers=headers)


async def quote(person: Person, **query: Any) -> httpx.Response:
    return await person.client.get("/v1/quotes", params={"model": MODEL, **query})


async def test_anybody_sees_the_prices(app: AccountsApp, admin: Person) -> None:
    later = (app.clock() + timedelta(days=1)).isoformat()
    assert (await set_price(admin, amount="0.5", version=VERSION)).status_code == 201
    assert (await set_price(admin, amount="9", effective_from=later)).status_code == 201
    async with app.client() as stranger:
        shown = (await stranger.get("/v1/prices")).json()
    amounts = {
        each["operation"]: each["amount"]
        for each in shown["in_effect"]
        if (each["model"], each["version"]) == (MODEL, VERSION)
    }
    assert amounts == {"predict": "0.5", "explain": "1"}
    [coming] = shown["coming"]
    assert (coming["model"], coming["version"], coming["amount"]) == (MODEL, None, "9")
    assert coming["operation"] == "predict"


async def test_quote_is_what_the_price_of_then_says(
    app: AccountsApp, admin: Person, anna: Person
) -> None:
    first = (await quote(anna, instances=3)).json()
    assert first == {
        "model": MODEL,
        "version": VERSION,
        "instances": 3,
        "explain": False,
        "amount_each": "1",
        "amount": "3",
    }
    later = (app.clock() + timedelta(hours=1)).isoformat()
    await set_price(admin, amount="0.25", effective_from=later)
    assert (await quote(anna, instances=3)).json() == first
    app.clock.forward(hours=1)
    assert (await quote(anna, instances=3, version=VERSION)).json()["amount"] == "0.75"


async def test_explanations_are_quoted_with_what_they_explain(admin: Person, anna: Person) -> None:
    assert (await set_price(admin, amount="0.25", operation="explain")).status_code == 201
    plain = (await quote(anna, instances=3)).json()
    explained = (await quote(anna, instances=3, explain="true")).json()
    assert (plain["amount_each"], plain["amount"]) == ("1", "3")
    assert explained == plain | {"explain": True, "amount_each": "1.25", "amount": "3.75"}
    answer = await quote(anna, instances=65, explain="true")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_same_key_does_not_set_the_price_of_another_operation(admin: Person) -> None:
    assert (await set_price(admin, "k", operation="explain")).json()["operation"] == "explain"
    other = await set_price(admin, "k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")


async def test_unknown_model_is_not_quoted(anna: Person) -> None:
    for query, code in (
        ({"model": "none"}, "model_not_found"),
        ({"version": "9"}, "version_not_found"),
    ):
        answer = await quote(anna, **query)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    for instances in (0, 1025, "x"):
        assert (await quote(anna, instances=instances)).status_code == 422


async def test_model_without_a_price_is_not_quoted(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("DELETE FROM prices")
    answer = await quote(anna)
    assert (answer.status_code, answer.json()["code"]) == (503, "price_missing")
    async with app.client() as stranger:
        assert (await stranger.get("/v1/prices")).json() == {"in_effect": [], "coming": []}


async def test_price_is_set_by_admins_alone_and_audited(
    anna: Person, operator: Person, admin: Person, superuser: asyncpg.Connection
) -> None:
    for person in (anna, operator):
        assert (await set_price(person)).status_code == 403
    assert (await set_price(admin)).headers["location"] == "/accounts/v1/prices"
    [row] = await superuser.fetch("SELECT actor_id, actor_role, action, target FROM audit")
    assert tuple(row) == (admin.account_id, "admin", "set_price", MODEL)


async def test_same_request_sets_one_price(admin: Person, superuser: asyncpg.Connection) -> None:
    first, again = await set_price(admin, "k"), await set_price(admin, "k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = await set_price(admin, "k", amount="3")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")
    assert await superuser.fetchval("SELECT count(*) FROM audit") == 1
    assert await superuser.fetchval("SELECT count(*) FROM prices WHERE model = $1", MODEL) == 1


async def test_price_once_set_stands(app: AccountsApp, admin: Person) -> None:
    later = (app.clock() + timedelta(days=1)).isoformat()
    assert (await set_price(admin, effective_from=later)).status_code == 201
    other = await set_price(admin, amount="3", effective_from=later)
    assert (other.status_code, other.json()["code"]) == (409, "price_exists")


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"effective_from": "2020-01-01T00:00:00Z"}, 422),
        ({"effective_from": "2040-01-01T00:00:00"}, 422),
        ({"amount": "-1"}, 422),
        ({"amount": 1}, 422),
        ({"model": "none"}, 404),
        ({"version": "9"}, 404),
        ({"currency": "EUR"}, 422),
        ({"operation": "guess"}, 422),
    ],
)
async def test_faulty_price_is_refused(
    admin: Person, superuser: asyncpg.Connection, members: dict[str, Any], status: int
) -> None:
    assert (await set_price(admin, **members)).status_code == status
    assert await superuser.fetchval("SELECT count(*) FROM prices WHERE model IS NOT NULL") == 0
