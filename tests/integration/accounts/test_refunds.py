"""An operator refunds a prediction; its account sees it."""

from __future__ import annotations

import uuid

import pytest

from billing.ledger import PostgresLedger
from tests.charges import make_charge
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def path(app: AccountsApp, anna: Person) -> str:
    """The refunds of a prediction of Anna's that cost 7."""
    charge = make_charge(anna.account_id, "7")
    await PostgresLedger(app.services.database).charge([charge])
    return f"/v1/predictions/{charge.charge_id}/refunds"


async def test_refund_in_part_then_of_what_is_left(
    path: str, operator: Person, anna: Person, boris: Person
) -> None:
    body = {"amount": "3", "reason": "wrong answer"}
    part = await operator.client.post(path, json=body)
    assert (part.status_code, part.json()["amount"]) == (201, "3")
    rest = await operator.client.post(path, json={"reason": "wrong answer"})
    assert rest.json()["amount"] == "4"
    there = await operator.client.get(part.headers["location"].removeprefix("/accounts"))
    assert there.json() == part.json()
    assert (await anna.client.get("/v1/balance")).json()["posted"] == "100"
    first = (await anna.client.get(path, params={"limit": 1})).json()
    second = (await anna.client.get(path, params={"cursor": first["next_cursor"]})).json()
    assert first["items"] + second["items"] == [rest.json(), part.json()]
    by_operator = await operator.client.get(f"/v1/accounts/{anna.account_id}{path[3:]}")
    assert len(by_operator.json()["items"]) == 2
    assert (await boris.client.get(path)).json()["code"] == "not_found"


async def test_refund_above_the_charge_is_refused(path: str, operator: Person) -> None:
    await operator.client.post(path, json={"amount": "3", "reason": "test"})
    refused = await operator.client.post(path, json={"amount": "5", "reason": "test"})
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_exceeds_charge")
    assert refused.json()["detail"].startswith("4 credits are left")


async def test_refund_sent_twice_is_made_once(path: str, operator: Person, anna: Person) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"amount": "3", "reason": "test"}
    first = await operator.client.post(path, json=body, headers=headers)
    again = await operator.client.post(path, json=body, headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = await operator.client.post(path, json={**body, "amount": "1"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")
    assert (await anna.client.get("/v1/balance")).json()["posted"] == "96"


async def test_free_prediction_has_nothing_to_refund(
    app: AccountsApp, operator: Person, anna: Person
) -> None:
    charge = make_charge(anna.account_id, "0")
    await PostgresLedger(app.services.database).charge([charge])
    refused = await operator.client.post(
        f"/v1/predictions/{charge.charge_id}/refunds", json={"reason": "test"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_exceeds_charge")


async def test_unknown_prediction_has_no_refunds(path: str, operator: Person, anna: Person) -> None:
    unknown = f"/v1/predictions/{uuid.uuid4()}/refunds"
    made = await operator.client.post(unknown, json={"reason": "test"})
    assert (made.status_code, made.json()["code"]) == (404, "not_found")
    assert (await anna.client.get(unknown)).status_code == 404


async def test_refunds_are_made_by_operators_alone(path: str, anna: Person) -> None:
    refused = await anna.client.post(path, json={"reason": "test"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
