"""What an account reads of itself."""

from __future__ import annotations

import pytest

from tests.support.accounts import AccountsApp, Person

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_balance_by_session_and_by_key(app: AccountsApp, anna: Person) -> None:
    by_session = await anna.client.get("/v1/balance")
    assert by_session.json() == {"posted": "100", "held": "0", "available": "100", "owed": "0"}
    async with app.client(anna.api_key) as client:
        by_key = await client.get("/v1/balance")
    assert by_key.json() == by_session.json()


async def test_session_ends_when_it_was_not_used(app: AccountsApp, anna: Person) -> None:
    app.clock.forward(hours=23)
    assert (await anna.client.get("/v1/balance")).status_code == 200
    app.clock.forward(hours=23)
    assert (await anna.client.get("/v1/balance")).status_code == 200
    app.clock.forward(hours=25)
    refused = await anna.client.get("/v1/balance")
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
