"""Operators give and put right; the account sees what it has and what that paid."""

from __future__ import annotations

import uuid
from datetime import timedelta

import asyncpg
import pytest

from billing.credits import Credits
from billing.grants.adding import add_grant
from billing.ledger import PostgresLedger
from billing.reconcile import reconcile
from serve.accounts.chores import make_chores
from tests.charges import make_charge
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


def _gift(person: Person, **more: object) -> dict[str, object]:
    return {"account_id": str(person.account_id), "amount": "5", "reason": "sorry", **more}


async def test_grant_is_given_and_seen_by_its_owner(
    operator: Person, anna: Person, boris: Person, superuser: asyncpg.Connection
) -> None:
    made = await operator.client.post("/v1/grants", json=_gift(anna, priority=0))
    assert made.status_code == 201
    grant = made.json()
    assert (grant["amount"], grant["remaining"], grant["priority"]) == ("5", "5", 0)
    there = await operator.client.get(made.headers["location"].removeprefix("/accounts"))
    assert there.json() == grant
    assert (await anna.client.get(f"/v1/grants/{grant['id']}")).json() == grant
    assert (await boris.client.get(f"/v1/grants/{grant['id']}")).json()["code"] == "not_found"
    listed = (await anna.client.get("/v1/grants")).json()["items"]
    assert [item["amount"] for item in listed] == ["5", "100"]
    audited = await superuser.fetchrow("SELECT * FROM audit")
    assert (audited["action"], audited["actor_id"]) == ("give_grant", operator.account_id)


async def test_grants_are_given_by_operators_alone(anna: Person) -> None:
    refused = await anna.client.post("/v1/grants", json=_gift(anna))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_grant_sent_twice_is_given_once(
    operator: Person, anna: Person, boris: Person
) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await operator.client.post("/v1/grants", json=_gift(anna), headers=headers)
    again = await operator.client.post("/v1/grants", json=_gift(anna), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    for other in (_gift(anna, amount="6"), _gift(boris)):
        refused = await operator.client.post("/v1/grants", json=other, headers=headers)
        assert refused.json()["code"] == "idempotency_key_conflict"
    assert (await anna.client.get("/v1/balance")).json()["posted"] == "105"


async def test_balance_stays_within_what_can_be_counted(
    app: AccountsApp, operator: Person, anna: Person, superuser: asyncpg.Connection
) -> None:
    for amount in [*["999999999999"] * 9, "223000000000"]:
        async with app.services.database.begin() as connection:
            await add_grant(connection, anna.account_id, Credits.parse(amount), reason="too much")
    refused = await operator.client.post("/v1/grants", json=_gift(anna, amount="1000000000"))
    assert (refused.status_code, refused.json()["code"]) == (409, "balance_too_large")
    path = f"/v1/accounts/{anna.account_id}/adjustments"
    put = await operator.client.post(path, json={"amount": "1000000000", "reason": "more"})
    assert (put.status_code, put.json()["code"]) == (409, "balance_too_large")
    assert await superuser.fetchval("SELECT count(*) FROM audit") == 0
    assert (await anna.client.get("/v1/balance")).json()["posted"] == "9223000000091"


@pytest.mark.parametrize("amount", ["1000000000.000001", "999999999999"])
async def test_nobody_gives_more_than_reports_can_sum(
    operator: Person, anna: Person, amount: str
) -> None:
    refused = await operator.client.post("/v1/grants", json=_gift(anna, amount=amount))
    assert refused.status_code == 422
    path = f"/v1/accounts/{anna.account_id}/adjustments"
    body = {"amount": f"-{amount}", "reason": "typo"}
    assert (await operator.client.post(path, json=body)).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": 5},
        {"priority": 100},
        {"reason": ""},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2099-01-01T00:00:00"},
        {"surprise": 1},
    ],
)
async def test_wrong_grant_is_refused(
    wrong: dict[str, object], operator: Person, anna: Person
) -> None:
    refused = await operator.client.post("/v1/grants", json=_gift(anna, **wrong))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


async def test_unknown_and_closed_accounts_get_nothing(
    operator: Person, anna: Person, superuser: asyncpg.Connection
) -> None:
    unknown = f"/v1/accounts/{uuid.uuid4()}"
    body = {"amount": "1", "reason": "x"}
    gift = {**_gift(anna), "account_id": str(uuid.uuid4())}
    await superuser.execute("UPDATE accounts SET closed_at = now() WHERE id = $1", anna.account_id)
    for answer in (
        await operator.client.get(f"{unknown}/grants"),
        await operator.client.post(f"{unknown}/adjustments", json=body),
        await operator.client.post("/v1/grants", json=gift),
        await operator.client.post("/v1/grants", json=_gift(anna)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_list_of_grants_goes_on_by_cursor(operator: Person, anna: Person) -> None:
    for _ in range(4):
        await operator.client.post("/v1/grants", json=_gift(anna))
    path = f"/v1/accounts/{anna.account_id}/grants"
    found: list[int] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await operator.client.get(path, params=parameters)).json()
        found += [item["sequence"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [5, 4, 3, 2, 1]
    assert (await anna.client.get("/v1/grants?cursor=WzFd")).status_code == 422


async def test_entry_names_the_grants_that_paid_it(
    app: AccountsApp, operator: Person, anna: Person, boris: Person
) -> None:
    gift = (await operator.client.post("/v1/grants", json=_gift(anna, priority=0))).json()
    ledger = PostgresLedger(app.services.database)
    await ledger.charge([make_charge(anna.account_id, "7")])
    async with app.client(anna.api_key) as client:
        paid = (await client.get("/v1/entries/3/grants")).json()
    assert paid["settled"]
    assert [use["amount"] for use in paid["grants"]] == ["5", "2"]
    assert paid["grants"][0]["grant_id"] == gift["id"]
    assert (await anna.client.get("/v1/entries/2/grants")).json()["grants"] == []
    assert (await boris.client.get("/v1/entries/3/grants")).status_code == 404
    left = (await anna.client.get("/v1/grants")).json()["items"]
    assert [item["remaining"] for item in left] == ["0", "98"]


async def test_balance_is_put_right_both_ways(
    app: AccountsApp, operator: Person, anna: Person
) -> None:
    path = f"/v1/accounts/{anna.account_id}/adjustments"
    for amount, posted in (("5", "105"), ("-45", "60")):
        headers = {"Idempotency-Key": amount}
        body = {"amount": amount, "reason": "counted wrong"}
        for _ in range(2):
            made = await operator.client.post(path, json=body, headers=headers)
            assert (made.status_code, made.json()["amount"]) == (201, amount)
        assert made.headers["idempotency-replayed"] == "true"
        there = await operator.client.get(made.headers["location"].removeprefix("/accounts"))
        assert there.json() == made.json()
        assert (await anna.client.get("/v1/balance")).json()["posted"] == posted
    listed = (await anna.client.get("/v1/grants")).json()["items"]
    assert [(item["origin"], item["remaining"]) for item in listed] == [
        ("adjustment", "5"),
        ("grant", "55"),
    ]
    assert (await reconcile(app.services.database)).breaches == ()


async def test_adjustment_below_what_is_available_is_refused(
    operator: Person, anna: Person
) -> None:
    path = f"/v1/accounts/{anna.account_id}/adjustments"
    body = {"amount": "-100.000001", "reason": "too much"}
    refused = await operator.client.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")
    zero = await operator.client.post(path, json={"amount": "0", "reason": "nothing"})
    assert zero.status_code == 422


async def test_chores_settle_and_expire(
    app: AccountsApp, operator: Person, anna: Person, superuser: asyncpg.Connection
) -> None:
    expires_at = (app.clock() + timedelta(days=1)).isoformat()
    await operator.client.post("/v1/grants", json=_gift(anna, expires_at=expires_at))
    app.clock.forward(hours=25)
    for chore in make_chores(app.services):
        if chore.name in {"settlement", "grant expiry"}:
            assert not await chore.run()
    assert await superuser.fetchval("SELECT count(*) FROM settled") == 1
    posted = "SELECT posted FROM balances WHERE account_id = $1"
    assert await superuser.fetchval(posted, anna.account_id) == 100_000_000
