"""Accounts, their keys, and what the directory says of them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from billing.accounts import create_key, fetch_account, grant_credits, revoke_key
from billing.api_keys.values import ALL_SCOPES
from billing.audit.actions import COMMAND_LINE
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.directory import Directory
from billing.errors import AccountMissing, PriceExists
from billing.keys import parse_key
from billing.prices import Operation, Price, set_price
from billing.principal import Principal
from billing.reconcile import reconcile
from billing.settings import BillingSettings

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def directory(database: Database, settings: BillingSettings) -> Directory:
    return Directory(database, settings.key_hash_secret)


async def test_created_key_lets_its_account_in(
    database: Database, settings: BillingSettings, directory: Directory
) -> None:
    created = await create_key(database, settings.key_hash_secret, "acme", Credits.parse("5"))
    sent = parse_key(created.api_key.reveal())
    assert sent is not None
    assert await directory.fetch_principal(sent) == Principal(
        created.account.id, "acme", created.api_key.id, ALL_SCOPES
    )
    assert created.account.balance == Credits.parse("5")
    assert await fetch_account(database, "acme") == created.account


async def test_secret_is_nowhere_in_the_database(
    database: Database, settings: BillingSettings, superuser: asyncpg.Connection
) -> None:
    created = await create_key(database, settings.key_hash_secret, "acme", ZERO)
    [row] = await superuser.fetch("SELECT api_keys::text FROM api_keys")
    assert created.api_key.secret not in row[0]
    assert created.api_key.secret.encode().hex() not in row[0]


async def test_second_key_joins_the_same_account(
    database: Database, settings: BillingSettings
) -> None:
    first = await create_key(database, settings.key_hash_secret, "acme", Credits.parse("5"))
    second = await create_key(database, settings.key_hash_secret, "acme", Credits.parse("1"))
    assert first.account.id == second.account.id
    assert second.account.balance == Credits.parse("6")
    assert (await reconcile(database)).is_clean


async def test_account_created_by_many_at_once_is_one(
    database: Database, settings: BillingSettings
) -> None:
    created = await asyncio.gather(
        *(
            create_key(database, settings.key_hash_secret, "acme", Credits.parse("1"))
            for _ in range(8)
        )
    )
    assert len({key.account.id for key in created}) == 1
    account = await fetch_account(database, "acme")
    assert account is not None
    assert account.balance == Credits.parse("8")
    assert (await reconcile(database)).is_clean


async def test_failed_creation_leaves_nothing(
    database: Database, settings: BillingSettings
) -> None:
    with pytest.raises(ValueError, match="name"):
        await create_key(database, settings.key_hash_secret, "", ZERO)
    with pytest.raises(DBAPIError):
        await create_key(database, settings.key_hash_secret, "acme", Credits(2**62) * 4)
    assert await fetch_account(database, "acme") is None


async def test_revoked_unknown_and_forged_keys_are_nobody(
    database: Database,
    settings: BillingSettings,
    directory: Directory,
    superuser: asyncpg.Connection,
) -> None:
    key = (await create_key(database, settings.key_hash_secret, "acme", ZERO)).api_key
    assert await directory.fetch_principal(replace(key, secret="0" * 33)) is None
    assert await directory.fetch_principal(replace(key, id="0" * 17)) is None
    assert await revoke_key(database, key.id)
    assert not await revoke_key(database, key.id)
    assert not await revoke_key(database, "unknown")
    assert await directory.fetch_principal(key) is None
    [row] = await superuser.fetch("SELECT actor_role, action, target FROM audit")
    assert tuple(row) == ("command_line", "revoke_key", key.id)


async def test_grant_adds_credits_and_an_entry(
    database: Database, settings: BillingSettings, superuser: asyncpg.Connection
) -> None:
    await create_key(database, settings.key_hash_secret, "acme", ZERO)
    account = await grant_credits(database, "acme", Credits.parse("2.5"), "goodwill")
    assert account.balance == Credits.parse("2.5")
    [entry] = await superuser.fetch("SELECT kind, amount_microcredits, reason FROM entries")
    assert tuple(entry) == ("grant", 2_500_000, "goodwill")


async def test_grant_needs_an_account_and_an_amount(database: Database) -> None:
    with pytest.raises(AccountMissing):
        await grant_credits(database, "nobody", Credits.parse("1"), "")
    with pytest.raises(ValueError, match="adds"):
        await grant_credits(database, "nobody", ZERO, "")


async def test_price_set_at_the_command_line_is_audited(
    database: Database, superuser: asyncpg.Connection
) -> None:
    moment = datetime(2040, 1, 1, tzinfo=UTC)
    price = Price("malware", "1", Credits.parse("0.5"), moment)
    await set_price(database, price, COMMAND_LINE)
    with pytest.raises(PriceExists):
        await set_price(database, price, COMMAND_LINE)
    [row] = await superuser.fetch("SELECT actor_id, actor_role, action, target, details FROM audit")
    assert tuple(row)[:4] == (None, "command_line", "set_price", "malware")
    assert json.loads(row["details"]) == {
        "version": "1",
        "operation": "predict",
        "amount": "0.5",
        "effective_from": moment.isoformat(),
    }


async def test_set_price_is_fetched(database: Database, directory: Directory) -> None:
    assert (await directory.fetch_prices()).price("malware", "1", 3) == Credits.parse("3")
    earlier = datetime.now(UTC) - timedelta(days=1)
    await set_price(database, Price("malware", None, Credits.parse("0.5"), earlier))
    prices = await directory.fetch_prices()
    assert prices.price("malware", "1", 3) == Credits.parse("1.5")
    assert prices.price("other", "1", 3) == Credits.parse("3")


async def test_explanations_cost_a_credit_until_a_price_of_their_own_is_set(
    database: Database, directory: Directory
) -> None:
    before = await directory.fetch_prices()
    assert before.price("malware", "1", 3, Operation.EXPLAIN) == Credits.parse("3")
    moment = datetime.now(UTC) - timedelta(seconds=1)
    for version, amount in ((None, "0.5"), ("2", "0.25")):
        price = Price("malware", version, Credits.parse(amount), moment, Operation.EXPLAIN)
        await set_price(database, price)
    prices = await directory.fetch_prices()
    assert prices.price("malware", "1", 3, Operation.EXPLAIN) == Credits.parse("1.5")
    assert prices.price("malware", "2", 3, Operation.EXPLAIN) == Credits.parse("0.75")
    assert prices.price("other", "1", 3, Operation.EXPLAIN) == Credits.parse("3")
    assert prices.price("malware", "1", 3) == Credits.parse("3")


async def test_both_operations_may_get_a_price_from_the_same_moment_on(
    database: Database,
) -> None:
    moment = datetime.now(UTC)
    for operation in Operation:
        await set_price(database, Price("malware", None, Credits(5), moment, operation))
        with pytest.raises(PriceExists):
            await set_price(database, Price("malware", None, Credits(6), moment, operation))
