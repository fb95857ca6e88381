"""A user asks for a refund over HTTP; an operator decides; both see what came of it."""

from __future__ import annotations

import pytest

from billing.ledger import PostgresLedger
from tests.charges import make_charge
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

QUEUE = "/v1/operator/refund-requests"
REASON = {"reason": "wrong answer"}


async def predict(app: AccountsApp, person: Person, amount: str = "7") -> str:
    charge = make_charge(person.account_id, amount)
    await PostgresLedger(app.services.database).charge([charge])
    return str(charge.charge_id)


async def ask(app: AccountsApp, person: Person) -> str:
    path = f"/v1/predictions/{await predict(app, person)}/refund-requests"
    request_id: str = (await person.client.post(path, json=REASON)).json()["id"]
    return request_id


async def test_from_the_request_to_the_refund(
    app: AccountsApp, anna: Person, operator: Person
) -> None:
    prediction = await predict(app, anna)
    asked = await anna.client.post(f"/v1/predictions/{prediction}/refund-requests", json=REASON)
    assert asked.status_code == 201
    assert asked.headers["location"] == f"/accounts/v1/refund-requests/{asked.json()['id']}"
    [waiting] = (await operator.client.get(QUEUE, params={"status": "open"})).json()["items"]
    assert waiting == asked.json()
    path = f"{QUEUE}/{waiting['id']}"
    assert (await operator.client.get(path)).json() == waiting
    body = {"amount": "3", "reason": "you are right"}
    accepted = (await operator.client.post(f"{path}/accept", json=body)).json()
    assert (accepted["status"], accepted["refunded"]) == ("accepted", "3")
    own = (await anna.client.get(f"/v1/refund-requests/{waiting['id']}")).json()
    assert (
        own
        == accepted
        == {
            **waiting,
            **{
                name: own[name]
                for name in ("status", "decided_at", "decision_reason", "refund_id", "refunded")
            },
        }
    )
    assert own["decision_reason"] == "you are right"
    [refund] = (await anna.client.get(f"/v1/predictions/{prediction}/refunds")).json()["items"]
    assert (refund["id"], refund["amount"]) == (own["refund_id"], "3")
    assert (await anna.client.get("/v1/balance")).json()["posted"] == "96"
    assert (await operator.client.get(QUEUE, params={"status": "open"})).json()["items"] == []


async def test_a_second_decision_is_told_of_the_first(
    app: AccountsApp, anna: Person, operator: Person
) -> None:
    path = f"{QUEUE}/{await ask(app, anna)}"
    app.clock.time = app.clock.time.replace(hour=7, minute=8, second=9)
    declined = await operator.client.post(f"{path}/decline", json={"reason": "as it should be"})
    assert declined.json()["status"] == "declined"
    for verb in ("accept", "decline"):
        refused = await operator.client.post(f"{path}/{verb}", json=REASON)
        assert (refused.status_code, refused.json()["code"]) == (409, "refund_request_decided")
        detail = refused.json()["detail"]
        assert detail.startswith("The request was declined at ")
        assert "07:08:09 UTC (as it should be)" in detail
    other = f"{QUEUE}/{await ask(app, anna)}"
    await operator.client.post(f"{other}/accept", json=REASON)
    refused = await operator.client.post(f"{other}/decline", json=REASON)
    assert refused.json()["detail"].startswith("The request was accepted with 7 credits at ")


async def test_what_cannot_be_asked_for_is_refused_with_what_to_do(
    app: AccountsApp, anna: Person, operator: Person
) -> None:
    path = f"/v1/predictions/{await predict(app, anna)}/refund-requests"
    asked = await anna.client.post(path, json=REASON)
    refused = await anna.client.post(path, json=REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_request_open")
    assert asked.json()["id"] in refused.json()["detail"]
    await operator.client.post(f"{QUEUE}/{asked.json()['id']}/accept", json=REASON)
    refused = await anna.client.post(path, json=REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_refund")
    assert "refunded in full" in refused.json()["detail"]
    free = f"/v1/predictions/{await predict(app, anna, '0')}/refund-requests"
    refused = await anna.client.post(free, json=REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_refund")
    assert "cost nothing" in refused.json()["detail"]


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
async def test_a_reason_has_1_to_500_characters(
    reason: str, app: AccountsApp, anna: Person
) -> None:
    path = f"/v1/predictions/{await predict(app, anna)}/refund-requests"
    refused = await anna.client.post(path, json={"reason": reason})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert (await anna.client.post(path, json={"reason": "x" * 500})).status_code == 201


async def test_a_request_sent_twice_is_made_once(app: AccountsApp, anna: Person) -> None:
    path = f"/v1/predictions/{await predict(app, anna)}/refund-requests"
    headers = {"Idempotency-Key": "once"}
    first = await anna.client.post(path, json=REASON, headers=headers)
    again = await anna.client.post(path, json=REASON, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = await anna.client.post(path, json={"reason": "another"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_conflict")


async def test_lists_are_paged_newest_first_and_filtered(
    app: AccountsApp, anna: Person, boris: Person, operator: Person
) -> None:
    ids = [await ask(app, anna) for _ in range(3)]
    others = await ask(app, boris)
    await operator.client.post(f"{QUEUE}/{ids[1]}/decline", json=REASON)

    async def listed(person: Person, path: str, **params: str) -> list[str]:
        found: list[str] = []
        while True:
            page = (await person.client.get(path, params={"limit": "2", **params})).json()
            found += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                return found
            params["cursor"] = page["next_cursor"]

    assert await listed(anna, "/v1/refund-requests") == ids[::-1]
    assert await listed(anna, "/v1/refund-requests", status="declined") == [ids[1]]
    assert await listed(operator, QUEUE) == [others, *ids[::-1]]
    assert await listed(operator, QUEUE, status="open") == [others, ids[2], ids[0]]
    assert await listed(operator, QUEUE, account_id=str(anna.account_id)) == ids[::-1]
