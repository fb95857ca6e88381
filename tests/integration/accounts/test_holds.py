"""Holds over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from serve.accounts.chores import make_chores
from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def hold(person: Person, amount: str = "40", **more: Any) -> dict[str, Any]:
    body = {"amount": amount, "reason": "bulk job", **more}
    answer = await person.client.post("/v1/holds", json=body)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/accounts/v1/holds/{made['id']}"
    return made


async def balance(person: Person) -> tuple[str, str]:
    found = (await person.client.get("/v1/balance")).json()
    return found["posted"], found["held"]


async def test_a_hold_is_captured_in_part_once(anna: Person) -> None:
    made = await hold(anna)
    assert (made["status"], made["amount"], made["captured"]) == ("open", "40", "0")
    assert await balance(anna) == ("100", "40")
    path = f"/v1/holds/{made['id']}/capture"
    for _ in range(2):
        captured = await anna.client.post(path, json={"amount": "15"})
        assert (captured.status_code, captured.json()["captured"]) == (200, "15")
    assert await balance(anna) == ("85", "0")
    other = await anna.client.post(path)
    assert (other.status_code, other.json()["code"]) == (409, "hold_resolved")
    released = await anna.client.post(f"/v1/holds/{made['id']}/release")
    assert (released.status_code, released.json()["code"]) == (409, "hold_resolved")


async def test_a_capture_without_an_amount_takes_all(anna: Person) -> None:
    made = await hold(anna)
    captured = await anna.client.post(f"/v1/holds/{made['id']}/capture")
    assert captured.json()["captured"] == "40"
    assert await balance(anna) == ("60", "0")


async def test_a_release_gives_back_and_may_be_repeated(anna: Person) -> None:
    made = await hold(anna)
    for _ in range(2):
        released = await anna.client.post(f"/v1/holds/{made['id']}/release")
        assert (released.status_code, released.json()["status"]) == (200, "released")
    assert await balance(anna) == ("100", "0")


async def test_the_bookkeeper_gives_back_what_is_past_its_time(
    app: AccountsApp, anna: Person
) -> None:
    made = await hold(anna, lifetime_seconds=60)
    app.clock.forward(seconds=60)
    late = await anna.client.post(f"/v1/holds/{made['id']}/capture")
    assert (late.status_code, late.json()["code"]) == (409, "hold_expired")
    [chore] = [chore for chore in make_chores(app.services) if chore.name == "hold expiry"]
    assert not await chore.run()
    assert await balance(anna) == ("100", "0")
    shown = (await anna.client.get(f"/v1/holds/{made['id']}")).json()
    assert shown["status"] == "expired"


async def test_more_than_there_is_is_not_held(anna: Person) -> None:
    refused = await anna.client.post("/v1/holds", json={"amount": "101", "reason": "job"})
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "0"},
        {"amount": "-1"},
        {"reason": ""},
        {"lifetime_seconds": 0},
        {"lifetime_seconds": 604_801},
        {"unknown": 1},
    ],
)
async def test_what_is_no_hold_is_refused(anna: Person, change: dict[str, object]) -> None:
    body = {"amount": "1", "reason": "job", **change}
    refused = await anna.client.post("/v1/holds", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


async def test_no_more_is_captured_than_is_held(anna: Person) -> None:
    made = await hold(anna)
    for amount in ("41", "0"):
        path = f"/v1/holds/{made['id']}/capture"
        refused = await anna.client.post(path, json={"amount": amount})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


async def test_the_same_key_again_holds_once(app: AccountsApp, anna: Person) -> None:
    headers = {"Idempotency-Key": "k"}
    body = {"amount": "10", "reason": "job"}
    first = await anna.client.post("/v1/holds", json=body, headers=headers)
    app.clock.forward(seconds=5)
    again = await anna.client.post("/v1/holds", json=body, headers=headers)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    other = await anna.client.post("/v1/holds", json={**body, "amount": "9"}, headers=headers)
    assert other.json()["code"] == "idempotency_key_conflict"
    assert await balance(anna) == ("100", "10")


async def test_holds_are_listed_by_status_newest_first(app: AccountsApp, anna: Person) -> None:
    ids = []
    for _ in range(3):
        app.clock.forward(seconds=1)
        ids.append((await hold(anna, "1"))["id"])
    await anna.client.post(f"/v1/holds/{ids[1]}/release")
    listed = (await anna.client.get("/v1/holds", params={"status": "open"})).json()
    assert [item["id"] for item in listed["items"]] == [ids[2], ids[0]]
    first = (await anna.client.get("/v1/holds", params={"limit": 2})).json()
    rest = (await anna.client.get("/v1/holds", params={"cursor": first["next_cursor"]})).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]


async def test_anothers_hold_does_not_exist(anna: Person, boris: Person) -> None:
    for hold_id in ((await hold(anna))["id"], uuid.uuid4()):
        for answer in (
            await boris.client.get(f"/v1/holds/{hold_id}"),
            await boris.client.post(f"/v1/holds/{hold_id}/capture"),
            await boris.client.post(f"/v1/holds/{hold_id}/release"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
