"""Every route of the OpenAPI document, tried by everybody who must not get in.

A new route is tested without anybody remembering it: it is either in `_PUBLIC` or guarded, and
where its path names somebody's thing, `MAKERS` must say how to make one.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from billing.ledger import PostgresLedger
from serve.accounts.api import ROUTERS, build_accounts_api
from serve.accounts.settings import AccountsSettings
from serve.accounts.top_ups.providers import make_provider
from tests.charges import make_charge
from tests.support.accounts import CHEAP_PASSWORDS, AccountsApp, Person, make_app
from tests.support.json_examples import make_example

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_PUBLIC = {
    "POST /v1/users",
    "POST /v1/sessions",
    "POST /v1/email-verifications",
    "GET /v1/email-verifications/{token}",
    "POST /v1/password-resets",
    "GET /v1/password-resets/{token}",
    "POST /v1/password-resets/{token}",
    "POST /v1/webhooks/{provider}",
    "GET /v1/prices",
    "GET /v1/terms",
}


@pytest.fixture
def app(app: AccountsApp) -> AccountsApp:
    """It sells credits by the test provider."""
    settings = AccountsSettings(payment_provider="test", **CHEAP_PASSWORDS)
    provider = make_provider(settings, app.services.billing.key_hash_secret)
    app.services = replace(app.services, settings=settings, payments=provider)
    return app


@dataclass(frozen=True)
class Operation:
    """One route with one method."""

    method: str
    path: str
    access: str
    body: Any
    query: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    async def call(self, client: httpx.AsyncClient, path: str) -> httpx.Response:
        return await client.request(self.method, path, json=self.body, params=self.query)


def _read_operations() -> Iterator[Operation]:
    document = build_accounts_api(make_app(None, None).services).openapi()  # type: ignore[arg-type]
    components = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            query = {
                each["name"]: str(make_example(each["schema"], components))
                for each in operation.get("parameters", [])
                if each["in"] == "query" and each.get("required")
            }
            yield Operation(
                method.upper(),
                path,
                operation["x-farebox-access"],
                make_example(schema, components) if schema else None,
                query,
            )


OPERATIONS = list(_read_operations())
GUARDED = [each for each in OPERATIONS if each.access != "public"]
Maker = Callable[[AccountsApp, Person, Person], Awaitable[str]]


async def _make_prediction(app: AccountsApp, anna: Person, _operator: Person) -> str:
    answered = b'[{"label": "malware", "probability": 0.5}]'
    charge = make_charge(anna.account_id, predictions=answered)
    await PostgresLedger(app.services.database).charge([charge])
    return str(charge.charge_id)


async def _make_by_post(anna: Person, path: str, body: dict[str, object]) -> str:
    made = await anna.client.post(path, json=body)
    assert made.status_code == 201, made.text
    return made.headers["location"].rsplit("/", 1)[-1]


async def _make_key(app: AccountsApp, anna: Person, _operator: Person) -> str:
    return await _make_by_post(anna, "/v1/keys", {"name": "a key"})


async def _make_hold(app: AccountsApp, anna: Person, _operator: Person) -> str:
    return await _make_by_post(anna, "/v1/holds", {"amount": "1", "reason": "work"})


async def _make_alert(app: AccountsApp, anna: Person, _operator: Person) -> str:
    body = {"level": "5", "url": "https://example.com/hook"}
    return await _make_by_post(anna, "/v1/alerts", body)


async def _make_top_up(app: AccountsApp, anna: Person, _operator: Person) -> str:
    return await _make_by_post(anna, "/v1/topups", {"credits": "10"})


async def _make_refund_request(app: AccountsApp, anna: Person, operator: Person) -> str:
    prediction = await _make_prediction(app, anna, operator)
    path = f"/v1/predictions/{prediction}/refund-requests"
    return await _make_by_post(anna, path, {"reason": "wrong answer"})


async def _find_grant(app: AccountsApp, anna: Person, _operator: Person) -> str:
    grants = (await anna.client.get("/v1/grants")).json()
    grant_id: str = grants["items"][0]["id"]
    return grant_id


async def _find_session(app: AccountsApp, anna: Person, _operator: Person) -> str:
    sessions = (await anna.client.get("/v1/sessions")).json()
    session_id: str = sessions["items"][0]["id"]
    return session_id


MAKERS: dict[str, Maker] = {
    "predictions": _make_prediction,
    "keys": _make_key,
    "refund-requests": _make_refund_request,
    "holds": _make_hold,
    "alerts": _make_alert,
    "topups": _make_top_up,
    "sessions": _find_session,
    "grants": _find_grant,
}
"""How Anna comes by a thing of the collection that stands before a path parameter."""

_OWN_BY_NATURE = {"/v1/statements/{month}", "/v1/entries/{sequence}/grants"}
"""What is named by a month or a number is the caller's own: nobody else's can be named."""


def _ids(operations: list[Operation]) -> list[str]:
    return [each.name for each in operations]


def test_public_routes_are_the_ones_we_know() -> None:
    assert {each.name for each in OPERATIONS if each.access == "public"} == _PUBLIC


def test_every_router_is_guarded_by_make_router() -> None:
    assert all(each.route_class.__qualname__.startswith("make_router") for each in ROUTERS)


@pytest.mark.parametrize("operation", GUARDED, ids=_ids(GUARDED))
async def test_nobody_gets_in_without_sign_in(app: AccountsApp, operation: Operation) -> None:
    async with app.client() as client:
        for token in (None, "fb_sess_" + "x" * 43, "nonsense"):
            client.headers = httpx.Headers({"authorization": f"Bearer {token}"} if token else {})
            refused = await operation.call(client, _fill(operation.path))
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


STAFF = [each for each in GUARDED if each.access in ("operator", "admin")]


@pytest.mark.parametrize("operation", STAFF, ids=_ids(STAFF))
async def test_role_is_needed(
    app: AccountsApp, anna: Person, operator: Person, operation: Operation
) -> None:
    lesser = [anna, operator] if operation.access == "admin" else [anna]
    for person in lesser:
        refused = await operation.call(person.client, _fill(operation.path))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


SESSION_ONLY = [each for each in GUARDED if each.access != "read"]


@pytest.mark.parametrize("operation", SESSION_ONLY, ids=_ids(SESSION_ONLY))
async def test_key_cannot_do_what_takes_a_session(
    app: AccountsApp, admin: Person, operation: Operation
) -> None:
    async with app.client(admin.api_key) as client:
        refused = await operation.call(client, _fill(operation.path))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


OWNED = [
    each
    for each in GUARDED
    if each.access in ("read", "user") and each.parameters and each.path not in _OWN_BY_NATURE
]


@pytest.mark.parametrize("operation", OWNED, ids=_ids(OWNED))
async def test_thing_of_another_user_is_not_found(
    app: AccountsApp, anna: Person, boris: Person, operator: Person, operation: Operation
) -> None:
    collection = operation.path.split("/")[2]
    assert collection in MAKERS, f"say in MAKERS how to make one of {collection}"
    thing = await MAKERS[collection](app, anna, operator)
    path = re.sub(r"\{\w+\}", thing, operation.path)
    refused = await operation.call(boris.client, path)
    missing = await operation.call(boris.client, _fill(operation.path))
    assert (refused.status_code, refused.json()["code"]) == (404, missing.json()["code"])
    assert _said(refused) == _said(missing), "it is told apart from a thing that is not there"
    allowed = await operation.call(anna.client, path)
    assert allowed.status_code != 404, "Anna does not find it either: the test shows nothing"


LISTS = [each for each in GUARDED if each.method == "GET" and each.access in ("read", "user")]


@asynccontextmanager
async def _with_things(app: AccountsApp, anna: Person, operator: Person) -> AsyncIterator[set[str]]:
    things = {await maker(app, anna, operator) for maker in MAKERS.values()}
    yield {*things, anna.email, str(anna.account_id)}


async def test_lists_hold_nothing_of_another_user(
    app: AccountsApp, anna: Person, boris: Person, operator: Person
) -> None:
    async with _with_things(app, anna, operator) as things:
        for operation in LISTS:
            if operation.parameters:
                continue
            seen = await operation.call(boris.client, operation.path)
            assert seen.status_code == 200, operation.name
            assert not [thing for thing in things if thing in seen.text], operation.name


_NOBODY = {
    "month": "2026-01",
    "sequence": "1",
}


def _fill(path: str) -> str:
    """The path with ids of nothing."""
    return re.sub(
        r"\{(\w+)\}",
        lambda found: _NOBODY.get(found[1], "00000000-0000-0000-0000-00000000dead"),
        path,
    )


def _said(response: httpx.Response) -> dict[str, Any]:
    said: dict[str, Any] = response.json()
    return {name: value for name, value in said.items() if name != "request_id"}
