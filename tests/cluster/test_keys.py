"""Keys over the running product: what is done to them counts on every validator within a second."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from billing.accounts import create_key
from billing.credits import Credits
from billing.database import Database
from billing.sessions.actions import open_session
from billing.sessions.values import Lifetimes
from billing.settings import BillingSettings
from billing.users.tables import users
from tests.support.api import Api
from tests.support.product import Product

_numbers = itertools.count(1)
_LIFETIMES = Lifetimes(timedelta(hours=1), timedelta(hours=1))


def replica_settings(product: Product) -> BillingSettings:
    """The database and the secret that the product's own replicas work with."""
    [replica, *_] = product.processes("ServeReplica:scoring:Billing")
    variables = replica.environ()
    return BillingSettings(
        database_url=variables["FAREBOX_DATABASE_URL"],
        key_hash_secret=variables["FAREBOX_KEY_HASH_SECRET"],
    )


async def sign_in(settings: BillingSettings) -> str:
    """The token of a new user with 100 credits."""
    database, email = Database(settings), f"keys{next(_numbers)}@example.com"
    try:
        created = await create_key(database, settings.key_hash_secret, email, Credits.parse("100"))
        async with database.begin() as connection:
            values = {"email": email, "password_hash": "no password opens this"}
            await connection.execute(insert(users).values(account_id=created.account.id, **values))
        _, token = await open_session(
            database,
            created.account.id,
            user_agent="test",
            lifetimes=_LIFETIMES,
            now=datetime.now(UTC),
        )
    finally:
        await database.close()
    return token


@pytest.fixture
def user(product: Product) -> Iterator[httpx.Client]:
    """A signed-in user's client: paths as `/keys`."""
    token = asyncio.run(sign_in(replica_settings(product)))
    with httpx.Client(
        base_url=f"{product.base_url}/accounts/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    ) as client:
        yield client


@pytest.fixture
def make_key(product: Product, user: httpx.Client) -> Iterator[Any]:
    """Makes a key over HTTP: what was answered, and a client of the scoring API with it."""
    clients: list[httpx.Client] = []

    def make(**members: Any) -> tuple[dict[str, Any], Api]:
        made = user.post("/keys", json={"name": "test", **members})
        assert made.status_code == 201, made.text
        api = Api.connect(product.base_url, made.json()["key"])
        clients.append(api.client)
        return made.json(), api

    yield make
    for client in clients:
        client.close()


def wait_until_refused(api: Api, seconds: float = 1.0) -> set[str]:
    """Return when each of 20 requests in a row was refused; fail after the time."""
    deadline = time.monotonic() + seconds
    while True:
        answers = [api.client.post("/v1/predictions", json={}) for _ in range(20)]
        if {answer.status_code for answer in answers} == {401}:
            return {answer.json()["code"] for answer in answers}
        assert time.monotonic() < deadline, "some replica still lets the key in"


def warm(api: Api) -> None:
    """Have every validator remember the key."""
    assert {answer.status_code for answer in api.score_at_once(20)} == {200}


def test_a_key_revoked_over_http_is_refused_by_every_validator_within_a_second(
    user: httpx.Client, make_key: Any
) -> None:
    key, api = make_key()
    warm(api)
    assert user.delete(f"/keys/{key['id']}").status_code == 204
    assert wait_until_refused(api) == {"unauthenticated"}


def test_a_key_is_refused_from_its_expiry_on(user: httpx.Client, make_key: Any) -> None:
    key, api = make_key()
    warm(api)
    expiry = datetime.now(UTC) + timedelta(seconds=2)
    patched = user.patch(f"/keys/{key['id']}", json={"expires_at": expiry.isoformat()})
    assert patched.status_code == 200
    time.sleep((expiry - datetime.now(UTC)).total_seconds())
    assert wait_until_refused(api, seconds=0.5) == {"unauthenticated"}


def test_a_capped_key_spends_its_cap_over_all_validators(user: httpx.Client, make_key: Any) -> None:
    key, api = make_key(caps={"day": "7"})
    answers = [answer for _ in range(2) for answer in api.score_at_once(20)]
    assert sum(answer.status_code == 200 for answer in answers) == 7
    refused = [answer.json() for answer in answers if answer.status_code != 200]
    assert {problem["code"] for problem in refused} == {"spending_cap_reached"}
    assert {(problem["required"], problem["left"]) for problem in refused} == {("1", "0")}
    shown = user.get(f"/keys/{key['id']}").json()
    assert shown["caps"]["day"] == {"cap": "7", "spent": "7"}
    raised = user.patch(f"/keys/{key['id']}", json={"caps": {"day": "9"}})
    assert raised.json()["caps"]["day"] == {"cap": "9", "spent": "7"}
    time.sleep(1.1)
    answers = api.score_at_once(10)
    assert sum(answer.status_code == 200 for answer in answers) == 2


def test_a_rotated_key_works_beside_the_old_one_and_then_alone(
    product: Product, user: httpx.Client, make_key: Any
) -> None:
    key, old = make_key()
    rotated = user.post(f"/keys/{key['id']}/rotate").json()
    new = Api.connect(product.base_url, rotated["key"])
    with new.client:
        assert [old.score().status_code, new.score().status_code] == [200, 200]
        user.delete(f"/keys/{key['id']}")
        wait_until_refused(old)
        assert new.score().status_code == 200


def test_a_key_that_may_only_read_cannot_score(make_key: Any) -> None:
    _, api = make_key(scopes=["read"])
    refused = api.score()
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert api.balance == 100
