"""Every route of the OpenAPI document, sent what nobody should send: a refusal, never a failure.

Each parameter, header and field in turn gets each of the nasty values, the rest stays valid and
names the caller's own things, so that the value gets as far as it can.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from billing.sessions.actions import open_session
from billing.sessions.values import Role
from serve.accounts.api import build_accounts_api
from serve.accounts.settings import AccountsSettings
from serve.accounts.throttling import Throttles
from serve.accounts.top_ups.providers import make_provider
from tests.integration.accounts.test_authorization import MAKERS
from tests.support.accounts import BASE_URL, CHEAP_PASSWORDS, AccountsApp, Person
from tests.support.json_examples import make_example

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_ID = "00000000-0000-0000-0000-000000000007"
_MOMENTS = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"]
_TEXTS = ["", "a\x00b", "-1", "x" * 20_000, "%s{0}", *_MOMENTS]
_WHOLES = ["9223372036854775808", "9" * 400, "\u0663"]
_AMOUNTS = ["999999999999.999999", "-999999999999", "1e9", "NaN"]

_CURSORS = [
    base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
    for parts in (
        [],
        [None],
        [True],
        [2**63],
        [-(2**63) - 1],
        [1.5],
        [{}],
        ["\x00"],
        ["not a time", "not an id"],
        *([moment, _ID] for moment in _MOMENTS),
        [_MOMENTS[0], "a\x00b"],
        [True, _ID],
        [2**64, _ID],
        ["entries", 2**64],
        ["predictions", True],
    )
]
QUERY_TEXTS = [*_TEXTS, *_WHOLES, "0", "2026-13", *_CURSORS]
PATH_TEXTS = [*filter(None, _TEXTS), *_WHOLES, "2026-13", "9999-12"]
JSON_VALUES: list[Any] = [
    None,
    True,
    *_TEXTS,
    *_WHOLES,
    *_AMOUNTS,
    "\ud800",
    -1,
    0,
    2**31,
    2**63,
    2**64,
    10**300,
    float("nan"),
    float("inf"),
    1e-9,
    [],
    {},
    ["x" * 300],
    ["\x00"],
    [None] * 1_000,
    {"\ud800": "\ud800"},
]
RAW_BODIES = [
    b"",
    b"null",
    b"[]",
    b'"\\ud800"',
    b"\xff\xfe",
    b"{",
    b"[" * 100_000,
    b'{"\\ud800": 1}',
    b'{"\\u0000": 1}',
    b'{"a": ' + b"9" * 5_000 + b"}",
]
HEADERS = [
    {"idempotency-key": b"\xff"},
    {"idempotency-key": b""},
    {"idempotency-key": b"k" * 256},
    {"user-agent": b"\x01\xff" * 300},
    {"authorization": b"Bearer fb_sess_\xff\xfe"},
    {"authorization": b"Bearer fb_live_" + b"\xff" * 500},
    {"cookie": b"__Host-farebox_session=fb_sess_\xff"},
    {"content-type": b"text/plain"},
    {"x-forwarded-for": b"\xff, 1.2.3.4.5"},
    {"origin": b"http://[::1"},
    {"sec-fetch-site": b"\xff"},
]


@dataclass(frozen=True)
class Route:
    """One route with one method, and what may be put where."""

    method: str
    path: str
    query: dict[str, str]
    """What is required, with examples."""
    parameters: tuple[str, ...]
    """Names of all query parameters."""
    body: dict[str, Any]
    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def _read_routes(document: dict[str, Any], account_id: uuid.UUID) -> Iterator[Route]:
    components = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            parameters = [each for each in operation.get("parameters", []) if each["in"] == "query"]
            example = (make_example(schema, components) if schema else None) or {}
            if "account_id" in example:
                example["account_id"] = str(account_id)
            yield Route(
                method.upper(),
                path,
                {
                    each["name"]: str(make_example(each["schema"], components))
                    for each in parameters
                    if each.get("required")
                },
                tuple(each["name"] for each in parameters),
                example,
                tuple(_find_fields(schema, components)) if schema else (),
            )


def _find_fields(schema: dict[str, Any], components: dict[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("anyOf", ())):
        named = components[part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else part
        yield from named.get("properties", {})


@pytest.fixture
def app(app: AccountsApp) -> AccountsApp:
    """It sells credits and sends mail, and no throttle saves it."""
    often = "100000 per minute"
    settings = AccountsSettings(
        payment_provider="test",
        smtp_host="127.0.0.1",
        sign_in_rate_per_email=often,
        sign_in_rate_in_all=often,
        sign_up_rate_per_email=often,
        sign_up_rate_in_all=often,
        reset_answer_seconds=0,
        **CHEAP_PASSWORDS,
    )
    app.services = replace(
        app.services,
        settings=settings,
        payments=make_provider(settings, app.services.billing.key_hash_secret),
        throttles=Throttles(settings),
    )
    return app


def _requests(route: Route, path: str) -> Iterator[dict[str, Any]]:
    """Keyword arguments for `httpx.AsyncClient.request`."""
    valid = {"url": path, "params": route.query, "content": _dump(route.body)}
    yield valid
    for name in re.findall(r"\{(\w+)\}", route.path):
        for text in PATH_TEXTS:
            nasty = route.path.replace(f"{{{name}}}", quote(text, safe=""))
            yield {**valid, "url": _merge(nasty, path)}
    for name in route.parameters:
        for text in QUERY_TEXTS if name == "cursor" else QUERY_TEXTS[: -len(_CURSORS)]:
            yield {**valid, "params": {**route.query, name: text}}
    for name in route.fields:
        for value in JSON_VALUES:
            yield {**valid, "content": _dump({**route.body, name: value})}
    for content in RAW_BODIES if route.fields else ():
        yield {**valid, "content": content}
    for headers in HEADERS if route.fields else ():
        yield {**valid, "headers": headers}


def _merge(nasty: str, path: str) -> str:
    """The path with what is still open in `nasty` as it is in `path`."""
    parts = zip(nasty.split("/"), path.split("/"), strict=True)
    return "/".join(right if left.startswith("{") else left for left, right in parts)


def _dump(body: object) -> bytes:
    return json.dumps(body).encode()


async def _fill(app: AccountsApp, admin: Person, route: Route) -> str:
    """The route's path, naming things of the admin's own."""
    known = {
        "month": "2026-01",
        "sequence": "1",
        "provider": "test",
        "token": "x" * 43,
        "account_id": str(admin.account_id),
    }
    for collection, name in re.findall(r"/([\w-]+)/\{(\w+)\}", route.path):
        if name not in known and collection in MAKERS:
            known[name] = await MAKERS[collection](app, admin, admin)
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], _ID), route.path)


async def test_no_route_fails(app: AccountsApp) -> None:
    api = build_accounts_api(app.services)
    transport = httpx.ASGITransport(api, root_path="/accounts", raise_app_exceptions=False)
    failed: list[str] = []
    async with (
        app.person(Role.ADMIN, "100000") as admin,
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
    ):
        for route in _read_routes(api.openapi(), admin.account_id):
            path = await _fill(app, admin, route)
            for request in _requests(route, path):
                headers = {**_signed_in(admin), **request.pop("headers", {})}
                answer = await client.request(route.method, headers=headers, **request)
                if answer.status_code >= 500:
                    failed.append(f"{answer.status_code} {route.name} {request}"[:500])
                if answer.status_code in _ENDS_SESSION and route.method == "DELETE":
                    await _sign_in_again(app, admin)
    assert not failed, "\n".join(failed)


_ENDS_SESSION = (204, 401)


def _signed_in(admin: Person) -> dict[str, str]:
    return {"authorization": f"Bearer {admin.token}", "content-type": "application/json"}


async def _sign_in_again(app: AccountsApp, admin: Person) -> None:
    _, admin.token = await open_session(
        app.services.database,
        admin.account_id,
        user_agent="test",
        lifetimes=app.services.settings.lifetimes,
        now=app.clock(),
    )
    admin.client.headers["authorization"] = f"Bearer {admin.token}"
