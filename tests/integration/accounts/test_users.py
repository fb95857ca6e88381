"""Sign up, change, be given a role, and leave: over the routes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from billing.database import Database
from billing.settings import BillingSettings
from serve.accounts.settings import AccountsSettings
from tests.support.accounts import CHEAP_PASSWORDS, AccountsApp, Person, make_app

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

PASSWORD = "correct horse battery"
SIGN_UP = {"email": "Eva@Example.com", "password": PASSWORD}


@pytest.fixture
async def mailing(database_url: str) -> AsyncIterator[AccountsApp]:
    """The application where SMTP is configured."""
    billing = BillingSettings(database_url=database_url, key_hash_secret="s" * 32)
    database = Database(billing)
    settings = AccountsSettings(
        **CHEAP_PASSWORDS, smtp_host="mail.example.com", reset_answer_seconds=0
    )
    yield make_app(database, billing, settings)
    await database.close()


async def sign_up(app: AccountsApp, **changes: str) -> Any:
    async with app.client() as client:
        return await client.post("/v1/users", json=SIGN_UP | changes)


async def sign_in(
    app: AccountsApp, email: str = "eva@example.com", password: str = PASSWORD
) -> Any:
    async with app.client() as client:
        return await client.post("/v1/sessions", json={"email": email, "password": password})


async def balance_of(app: AccountsApp, token: str) -> str:
    async with app.client(token) as client:
        return str((await client.get("/v1/balance")).json()["available"])


async def last_mail(superuser: asyncpg.Connection) -> dict[str, str]:
    payload = await superuser.fetchval(
        "SELECT payload FROM deliveries WHERE channel = 'email' ORDER BY id DESC LIMIT 1"
    )
    mail: dict[str, str] = json.loads(payload)
    return mail


def token_in(mail: dict[str, str]) -> str:
    found = re.search(r"/accounts/v1/[a-z-]+/(\S+)", mail["text"])
    assert found is not None
    return found[1]


async def test_new_user_gets_an_account_and_a_welcome(app: AccountsApp) -> None:
    made = await sign_up(app)
    assert (made.status_code, made.headers["location"]) == (201, "/accounts/v1/me")
    assert made.json()["email"] == "eva@example.com"
    assert (made.json()["role"], made.json()["email_verified"]) == ("user", False)
    token = (await sign_in(app)).json()["token"]
    async with app.client(token) as client:
        assert (await client.get("/v1/me")).json() == made.json()
    assert await balance_of(app, token) == "100"


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "no address"},
        {"email": "a@localhost"},
        {"password": "short"},
        {"password": "x" * 201},
        {"password": "EVA@example.com"},
        {"role": "admin"},
    ],
)
async def test_unfit_sign_up_makes_nothing(
    app: AccountsApp, superuser: asyncpg.Connection, changes: dict[str, str]
) -> None:
    refused = await sign_up(app, **changes)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert await superuser.fetchval("SELECT count(*) FROM accounts") == 0


async def test_of_two_who_sign_up_at_once_one_gets_the_email(
    app: AccountsApp, superuser: asyncpg.Connection
) -> None:
    answers = await asyncio.gather(*(sign_up(app) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"email_taken"}
    for table in ("accounts", "users", "balances", "entries", "welcomed_addresses"):
        assert await superuser.fetchval(f"SELECT count(*) FROM {table}") == 1


async def test_email_of_an_account_without_a_user_can_sign_up(
    app: AccountsApp, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("INSERT INTO accounts VALUES (uuidv7(), 'eva@example.com')")
    made = (await sign_up(app)).json()
    name = await superuser.fetchval("SELECT name FROM accounts WHERE id = $1", made["account_id"])
    assert name == f"eva@example.com ({made['account_id']})"


async def test_address_is_welcomed_once_ever(app: AccountsApp) -> None:
    await sign_up(app)
    await sign_up(app, email="eva+again@example.com")
    token = (await sign_in(app, "eva+again@example.com")).json()["token"]
    assert await balance_of(app, token) == "0"


async def test_welcome_waits_for_the_mails_link(
    mailing: AccountsApp, superuser: asyncpg.Connection
) -> None:
    await sign_up(mailing)
    session = (await sign_in(mailing)).json()["token"]
    assert await balance_of(mailing, session) == "0"
    mail = await last_mail(superuser)
    assert mail["to"] == "eva@example.com"
    token = token_in(mail)
    async with mailing.client() as client:
        page = await client.get(f"/v1/email-verifications/{token}")
        assert "<button>" in page.text
        assert await balance_of(mailing, session) == "0"
        verified = await client.post("/v1/email-verifications", json={"token": token})
        again = await client.post("/v1/email-verifications", json={"token": token})
    assert verified.json()["email_verified"] is True
    assert (again.status_code, again.json()["code"]) == (410, "link_expired")
    assert await balance_of(mailing, session) == "100"


async def test_link_expires_and_a_new_one_can_be_had(
    mailing: AccountsApp, superuser: asyncpg.Connection
) -> None:
    await sign_up(mailing)
    old = token_in(await last_mail(superuser))
    mailing.clock.forward(hours=49)
    session = (await sign_in(mailing)).json()["token"]
    async with mailing.client(session) as client:
        late = await client.post("/v1/email-verifications", json={"token": old})
        assert late.status_code == 410
        assert (await client.post("/v1/me/email-verifications")).status_code == 202
        new = token_in(await last_mail(superuser))
        assert (await client.post("/v1/email-verifications", json={"token": new})).is_success


async def test_reset_sets_the_password_and_ends_all_sessions(
    mailing: AccountsApp, superuser: asyncpg.Connection
) -> None:
    await sign_up(mailing)
    session = (await sign_in(mailing)).json()["token"]
    async with mailing.client() as client:
        asked = await client.post("/v1/password-resets", json={"email": "eva@example.com"})
        path = f"/v1/password-resets/{token_in(await last_mail(superuser))}"
        assert 'type="password"' in (await client.get(path)).text
        done = await client.post(path, json={"password": "another password"})
        again = await client.post(path, json={"password": "a third password"})
    assert (asked.status_code, done.status_code, again.status_code) == (202, 204, 410)
    assert (await sign_in(mailing)).status_code == 401
    assert (await sign_in(mailing, password="another password")).status_code == 201
    async with mailing.client(session) as client:
        assert (await client.get("/v1/me")).status_code == 401


async def test_reset_does_not_tell_who_is_a_user(
    mailing: AccountsApp, superuser: asyncpg.Connection
) -> None:
    async with mailing.client() as client:
        asked = await client.post("/v1/password-resets", json={"email": "no@example.com"})
    assert asked.status_code == 202
    assert await superuser.fetchval("SELECT count(*) FROM deliveries") == 0


async def test_new_password_ends_the_other_sessions(app: AccountsApp) -> None:
    await sign_up(app)
    here, there = [(await sign_in(app)).json()["token"] for _ in range(2)]
    body = {"current_password": PASSWORD, "new_password": "another password"}
    async with app.client(here) as client:
        wrong = await client.put("/v1/me/password", json=body | {"current_password": "wrong"})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "password_wrong")
        assert (await client.put("/v1/me/password", json=body)).status_code == 204
        assert (await client.get("/v1/me")).status_code == 200
    async with app.client(there) as client:
        assert (await client.get("/v1/me")).status_code == 401
    assert (await sign_in(app)).status_code == 401


async def test_deletion_names_the_credits_it_forfeits(app: AccountsApp) -> None:
    await sign_up(app)
    async with app.client((await sign_in(app)).json()["token"]) as client:
        for amount in ("0", "99", "101"):
            body = {"password": PASSWORD, "forfeit_credits": amount}
            refused = await client.request("DELETE", "/v1/me", json=body)
            assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_needed")
            assert refused.json()["available"] == "100"
        body = {"password": PASSWORD, "forfeit_credits": "100"}
        assert (await client.request("DELETE", "/v1/me", json=body)).status_code == 204
        assert (await client.get("/v1/me")).status_code == 401


async def test_deletion_waits_for_holds(app: AccountsApp, superuser: asyncpg.Connection) -> None:
    await sign_up(app)
    await superuser.execute("UPDATE balances SET held = 1000000")
    async with app.client((await sign_in(app)).json()["token"]) as client:
        body = {"password": PASSWORD, "forfeit_credits": "99"}
        refused = await client.request("DELETE", "/v1/me", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "holds_open")


async def test_deletion_leaves_the_ledger_and_nothing_personal(
    mailing: AccountsApp, superuser: asyncpg.Connection
) -> None:
    made = (await sign_up(mailing)).json()
    async with mailing.client((await sign_in(mailing)).json()["token"]) as client:
        await client.post(
            "/v1/email-verifications", json={"token": token_in(await last_mail(superuser))}
        )
        body = {"password": PASSWORD, "forfeit_credits": "100"}
        assert (await client.request("DELETE", "/v1/me", json=body)).status_code == 204
    columns = await superuser.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'ARRAY', 'bytea')"
    )
    assert len(columns) > 40
    for table, column in columns:
        found = await superuser.fetchval(
            f"SELECT count(*) FROM {table} WHERE {column}::text ILIKE '%eva%example%'"
            f" OR {column}::text ILIKE '%' || encode('eva@example.com', 'hex') || '%'"
        )
        assert found == 0, f"{table}.{column}"
    account = await superuser.fetchrow("SELECT name, closed_at FROM accounts")
    assert account["name"] == f"deleted {made['account_id']}"
    assert account["closed_at"] is not None
    entries = await superuser.fetch("SELECT kind, reason FROM entries ORDER BY sequence")
    assert [tuple(e) for e in entries] == [("grant", "welcome"), ("adjustment", "account deleted")]
    assert await superuser.fetchval("SELECT posted FROM balances") == 0
    again = await sign_up(mailing)
    assert again.status_code == 201


async def test_deletion_revokes_the_keys(app: AccountsApp, superuser: asyncpg.Connection) -> None:
    made = (await sign_up(app)).json()
    await superuser.execute(
        "INSERT INTO api_keys (id, account_id, secret_hash, name, lineage_id)"
        " VALUES ('k', $1, sha256(''), 'eva''s', 'k')",
        made["account_id"],
    )
    async with app.client((await sign_in(app)).json()["token"]) as client:
        body = {"password": PASSWORD, "forfeit_credits": "100"}
        await client.request("DELETE", "/v1/me", json=body)
    key = await superuser.fetchrow("SELECT name, revoked_at FROM api_keys")
    assert (key["name"], key["revoked_at"] is None) == ("deleted", False)


async def test_admin_gives_a_role_and_it_is_written_down(
    app: AccountsApp, admin: Person, anna: Person
) -> None:
    path = f"/v1/users/{anna.account_id}/role"
    for _ in range(2):
        given = await admin.client.put(path, json={"role": "operator"})
        assert (given.status_code, given.json()["role"]) == (200, "operator")
    assert (await anna.client.get("/v1/users")).status_code == 200
    log = (await admin.client.get("/v1/audit", params={"account_id": str(anna.account_id)})).json()
    assert [(r["action"], r["details"]) for r in log["items"]] == [
        ("set_role", {"before": "user", "after": "operator"})
    ]
    assert log["items"][0]["actor_id"] == str(admin.account_id)
    none = await admin.client.get("/v1/audit", params={"action": "nothing"})
    assert none.json()["items"] == []


async def test_last_admin_stays_one(app: AccountsApp, admin: Person) -> None:
    path = f"/v1/users/{admin.account_id}/role"
    refused = await admin.client.put(path, json={"role": "user"})
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")


async def test_two_admins_cannot_depose_each_other(app: AccountsApp, admin: Person) -> None:
    from billing.sessions.values import Role

    async with app.person(Role.ADMIN) as other:
        answers = await asyncio.gather(
            admin.client.put(f"/v1/users/{other.account_id}/role", json={"role": "user"}),
            other.client.put(f"/v1/users/{admin.account_id}/role", json={"role": "user"}),
        )
    assert sorted(a.status_code for a in answers) in ([200, 403], [200, 409])


async def test_operator_finds_users(operator: Person, anna: Person, boris: Person) -> None:
    found = await operator.client.get("/v1/users", params={"email": anna.email.upper()})
    assert [u["account_id"] for u in found.json()["items"]] == [str(anna.account_id)]
    first = (await operator.client.get("/v1/users", params={"limit": 2})).json()
    rest = (
        await operator.client.get("/v1/users", params={"limit": 2, "cursor": first["next_cursor"]})
    ).json()
    emails = [u["email"] for u in first["items"] + rest["items"]]
    assert sorted(emails) == sorted([operator.email, anna.email, boris.email])
    assert rest["next_cursor"] is None
    bad = await operator.client.get("/v1/users", params={"cursor": "WzFd"})
    assert bad.status_code == 422
    assert (await anna.client.get("/v1/users")).status_code == 403
