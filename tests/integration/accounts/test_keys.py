"""Keys are made, shown once, changed, rotated and revoked by their own account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from billing.credits import Credits
from billing.directory import Directory
from billing.keys import parse_key
from billing.ledger import PostgresLedger
from billing.principal import Principal
from serve.accounts.settings import AccountsSettings
from tests.charges import count_kinds, make_charge
from tests.support.accounts import AccountsApp, Person, make_app

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def make(person: Person, **members: Any) -> dict[str, Any]:
    made = await person.client.post("/v1/keys", json={"name": "mine", **members})
    assert made.status_code == 201, made.text
    key: dict[str, Any] = made.json()
    return key


async def principal_of(app: AccountsApp, key: dict[str, Any]) -> Principal | None:
    parsed = parse_key(key["key"])
    assert parsed is not None
    directory = Directory(app.services.database, app.services.billing.key_hash_secret)
    return await directory.fetch_principal(parsed)


async def spend(
    app: AccountsApp, person: Person, key: dict[str, Any], count: int
) -> dict[str, int]:
    charges = [make_charge(person.account_id, key_id=key["id"]) for _ in range(count)]
    return count_kinds(await PostgresLedger(app.services.database).charge(charges))


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_whole_key_is_shown_once(app: AccountsApp, anna: Person) -> None:
    made = await anna.client.post("/v1/keys", json={"name": "ci"})
    key = made.json()
    assert made.headers["location"] == f"/accounts/v1/keys/{key['id']}"
    assert made.headers["cache-control"] == "no-store"
    assert key["scopes"] == ["read", "score"]
    principal = await principal_of(app, key)
    assert principal is not None
    assert (principal.account_id, principal.key_id) == (anna.account_id, key["id"])
    secret = key["key"].split("_")[3]
    for path in ("/v1/keys", f"/v1/keys/{key['id']}"):
        assert secret not in (await anna.client.get(path)).text


async def test_repeated_request_gets_no_second_key(anna: Person) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await anna.client.post("/v1/keys", json={"name": "ci"}, headers=headers)
    again = await anna.client.post("/v1/keys", json={"name": "ci"}, headers=headers)
    assert first.status_code == 201
    assert refusal(again) == (409, "key_already_made")
    assert len((await anna.client.get("/v1/keys")).json()["items"]) == 2


async def test_keys_are_listed_page_by_page_the_newest_first(
    app: AccountsApp, anna: Person
) -> None:
    names = [f"key {number}" for number in range(4)]
    for name in names:
        app.clock.forward(minutes=1)
        await make(anna, name=name)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await anna.client.get("/v1/keys", params=query)).json()
        seen += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        app.clock.forward(minutes=1)
        await make(anna, name="meanwhile")
    assert seen == [*reversed(names), "default"]


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "WzEsMl0", "WyJhIiwiYiJd"])
async def test_cursor_of_another_list_is_refused(anna: Person, cursor: str) -> None:
    answer = await anna.client.get("/v1/keys", params={"cursor": cursor})
    assert refusal(answer) == (422, "invalid_request")


@pytest.mark.parametrize(
    "members",
    [
        {"name": ""},
        {"name": "nul\0"},
        {"name": "x" * 101},
        {"name": None},
        {"scopes": []},
        {"scopes": ["admin"]},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2040-01-01T00:00:00"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        {"caps": {"day": "-1"}},
        {"caps": {"day": 1}},
        {"caps": {"week": "1"}},
        {"colour": "red"},
    ],
)
async def test_faulty_key_is_refused(anna: Person, members: dict[str, Any]) -> None:
    answer = await anna.client.post("/v1/keys", json={"name": "ci", **members})
    assert refusal(answer) == (422, "invalid_request")
    assert answer.json()["errors"]


async def test_another_accounts_key_is_not_there(anna: Person, boris: Person) -> None:
    key = await make(anna)
    path = f"/v1/keys/{key['id']}"
    answers = [
        await boris.client.get(path),
        await boris.client.patch(path, json={"name": "his"}),
        await boris.client.post(f"{path}/rotate"),
        await boris.client.delete(path),
        await anna.client.get("/v1/keys/unknown"),
        await anna.client.get("/v1/keys/%00"),
    ]
    assert {refusal(answer) for answer in answers} == {(404, "not_found")}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert (await anna.client.get(path)).json()["name"] == "mine"


async def test_revoked_key_is_nobodys_for_ever(app: AccountsApp, anna: Person) -> None:
    key = await make(anna)
    path = f"/v1/keys/{key['id']}"
    assert [(await anna.client.delete(path)).status_code for _ in range(2)] == [204, 204]
    assert await principal_of(app, key) is None
    assert (await anna.client.get(path)).json()["revoked_at"] is not None
    assert refusal(await anna.client.patch(path, json={"name": "x"})) == (409, "key_ended")
    assert refusal(await anna.client.post(f"{path}/rotate")) == (409, "key_ended")


async def test_patch_changes_what_is_named_and_nothing_else(anna: Person, app: AccountsApp) -> None:
    key = await make(anna, caps={"day": "5"})
    path, later = f"/v1/keys/{key['id']}", (app.clock() + timedelta(days=1)).isoformat()
    changed = (await anna.client.patch(path, json={"name": "new", "expires_at": later})).json()
    assert (changed["name"], changed["scopes"]) == ("new", key["scopes"])
    assert changed["expires_at"] is not None
    assert changed["caps"]["day"] == {"cap": "5", "spent": "0"}
    assert (await anna.client.patch(path, json={})).json() == changed
    lifted = (await anna.client.patch(path, json={"expires_at": None})).json()
    assert lifted == {**changed, "expires_at": None}


async def test_expired_key_reads_nothing_and_cannot_come_back(
    app: AccountsApp, anna: Person
) -> None:
    key = await make(anna, expires_at=(app.clock() + timedelta(hours=1)).isoformat())
    async with app.client(key["key"]) as client:
        assert (await client.get("/v1/balance")).status_code == 200
        app.clock.forward(hours=1)
        assert refusal(await client.get("/v1/balance")) == (401, "unauthenticated")
    later = (app.clock() + timedelta(hours=1)).isoformat()
    patched = await anna.client.patch(f"/v1/keys/{key['id']}", json={"expires_at": later})
    assert refusal(patched) == (409, "key_ended")


async def test_key_needs_the_scope_to_read_and_never_manages_keys(
    app: AccountsApp, anna: Person
) -> None:
    scoring, reading = await make(anna, scopes=["score"]), await make(anna, scopes=["read"])
    async with app.client(scoring["key"]) as client:
        assert refusal(await client.get("/v1/balance")) == (403, "scope_missing")
    async with app.client(reading["key"]) as client:
        assert (await client.get("/v1/balance")).status_code == 200
        assert refusal(await client.get("/v1/keys")) == (403, "forbidden")
    shown = (await anna.client.get(f"/v1/keys/{reading['id']}")).json()
    assert shown["last_used_at"] is not None
    unused = (await anna.client.get(f"/v1/keys/{scoring['id']}")).json()
    assert unused["last_used_at"] is None


async def test_rotation_gives_a_second_key_that_may_do_the_same(
    app: AccountsApp, anna: Person
) -> None:
    old = await make(anna, scopes=["score"], caps={"total": "5"})
    path = f"/v1/keys/{old['id']}/rotate"
    rotated = await anna.client.post(path, headers={"Idempotency-Key": "k"})
    new = rotated.json()
    assert rotated.status_code == 201
    assert new["key"] != old["key"]
    alike = ("name", "scopes", "caps", "lineage_id", "expires_at")
    assert [new[member] for member in alike] == [old[member] for member in alike]
    assert await principal_of(app, old) is not None
    assert await principal_of(app, new) is not None
    for key in (old, new):
        refused = await anna.client.post(f"/v1/keys/{key['id']}/rotate")
        assert refusal(refused) == (409, "rotation_under_way")
    again = await anna.client.post(path, headers={"Idempotency-Key": "k"})
    assert refusal(again) == (409, "key_already_made")
    await anna.client.delete(f"/v1/keys/{old['id']}")
    assert (await anna.client.post(f"/v1/keys/{new['id']}/rotate")).status_code == 201


async def test_old_key_can_end_by_itself(app: AccountsApp, anna: Person) -> None:
    old = await make(anna)
    body = {"old_expires_at": (app.clock() + timedelta(hours=1)).isoformat()}
    new = (await anna.client.post(f"/v1/keys/{old['id']}/rotate", json=body)).json()
    assert new["expires_at"] is None
    app.clock.forward(hours=1)
    principal = await principal_of(app, old)
    assert principal is not None
    assert principal.is_expired(app.clock())
    assert (await anna.client.post(f"/v1/keys/{new['id']}/rotate")).status_code == 201


async def test_keys_of_a_lineage_spend_together(app: AccountsApp, anna: Person) -> None:
    old = await make(anna, caps={"day": "3", "total": "5"})
    assert await spend(app, anna, old, 2) == {"Charged": 2}
    new = (await anna.client.post(f"/v1/keys/{old['id']}/rotate")).json()
    assert new["caps"] == {
        "day": {"cap": "3", "spent": "2"},
        "month": None,
        "total": {"cap": "5", "spent": "2"},
    }
    assert await spend(app, anna, new, 2) == {"Charged": 1, "SpendingCapReached": 1}
    assert await spend(app, anna, old, 1) == {"SpendingCapReached": 1}
    await anna.client.patch(f"/v1/keys/{new['id']}", json={"caps": {"day": None}})
    assert await spend(app, anna, old, 9) == {"Charged": 2, "SpendingCapReached": 7}


async def test_cap_is_lowered_raised_and_lifted(app: AccountsApp, anna: Person) -> None:
    key = await make(anna, caps={"month": "5"})
    path = f"/v1/keys/{key['id']}"
    assert await spend(app, anna, key, 3) == {"Charged": 3}
    lowered = await anna.client.patch(path, json={"caps": {"month": "2"}})
    assert lowered.json()["caps"]["month"] == {"cap": "2", "spent": "3"}
    assert await spend(app, anna, key, 1) == {"SpendingCapReached": 1}
    await anna.client.patch(path, json={"caps": {"month": "4"}})
    assert await spend(app, anna, key, 2) == {"Charged": 1, "SpendingCapReached": 1}
    await anna.client.patch(path, json={"caps": {"month": None}})
    assert await spend(app, anna, key, 3) == {"Charged": 3}
    renewed = await anna.client.patch(path, json={"caps": {"month": "1"}})
    assert renewed.json()["caps"]["month"] == {"cap": "1", "spent": "0"}


async def test_cap_lowered_while_a_charge_is_under_way_holds_from_then_on(
    app: AccountsApp, anna: Person, superuser: asyncpg.Connection
) -> None:
    """The charge that goes by the cap of before must not be the one that writes the cap down."""
    key = await make(anna, caps={"day": "5"})
    await anna.client.patch(f"/v1/keys/{key['id']}", json={"caps": {"day": "1"}})
    rows = await superuser.fetch("SELECT spent_microcredits, cap_microcredits FROM key_spending")
    assert {tuple(row) for row in rows} == {(0, 1_000_000)}
    assert await spend(app, anna, key, 2) == {"Charged": 1, "SpendingCapReached": 1}


async def test_live_keys_are_bounded(app: AccountsApp, anna: Person) -> None:
    bounded = make_app(
        app.services.database, app.services.billing, AccountsSettings(account_keys_max=2)
    )
    async with bounded.client(anna.token) as client:
        made = await client.post("/v1/keys", json={"name": "second"})
        assert made.status_code == 201
        third = await client.post("/v1/keys", json={"name": "third"})
        assert refusal(third) == (409, "too_many_keys")
        path = f"/v1/keys/{made.json()['id']}"
        assert refusal(await client.post(f"{path}/rotate")) == (409, "too_many_keys")
        await client.delete(path)
        assert (await client.post("/v1/keys", json={"name": "third"})).status_code == 201


async def test_cap_of_nothing_lets_nothing_be_spent(app: AccountsApp, anna: Person) -> None:
    key = await make(anna, caps={"total": "0"})
    assert await spend(app, anna, key, 1) == {"SpendingCapReached": 1}
    free = [make_charge(anna.account_id, "0", key_id=key["id"])]
    assert count_kinds(await PostgresLedger(app.services.database).charge(free)) == {"Charged": 1}
    assert str(Credits.parse("100")) == (await anna.client.get("/v1/balance")).json()["posted"]
