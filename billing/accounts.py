"""Use cases of accounts and their keys. Each is one transaction."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

import uuid_utils.compat
from pydantic import SecretStr
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.api_keys.actions import mark_revoked, store_key
from billing.api_keys.values import NewKey
from billing.audit.actions import COMMAND_LINE, record
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import AccountMissing
from billing.grants.adding import add_grant
from billing.keys import ApiKey, Randomness, generate_key
from billing.tables import accounts, balances


@dataclass(frozen=True, slots=True)
class Account:
    """An account and what it can spend now."""

    id: uuid.UUID
    name: str
    balance: Credits


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key: the only moment at which its secret is known."""

    account: Account
    api_key: ApiKey


async def create_key(
    database: Database,
    key_hash_secret: SecretStr,
    account_name: str,
    credits_granted: Credits,
    *,
    key_name: str = "default",
    randomness: Randomness = secrets.token_bytes,
) -> CreatedKey:
    """Make a key; the account is made if its name is new, and granted the credits either way.

    Raises ValueError for an empty name or credits below zero.
    """
    if not account_name or credits_granted < ZERO:
        raise ValueError("an account needs a name, and a grant cannot be below zero")
    api_key = generate_key(randomness)
    async with database.begin() as connection:
        account_id = await _open_account(connection, account_name)
        await store_key(connection, key_hash_secret, account_id, api_key, NewKey(key_name))
        if credits_granted > ZERO:
            await add_grant(connection, account_id, credits_granted, reason="granted with a key")
        balance = await _fetch_balance(connection, account_id)
    return CreatedKey(Account(account_id, account_name, balance), api_key)


async def grant_credits(
    database: Database, account_name: str, amount: Credits, reason: str
) -> Account:
    """Add credits to an account. Raises AccountMissing; ValueError unless some are added."""
    if amount <= ZERO:
        raise ValueError("a grant adds credits")
    async with database.begin() as connection:
        account = await _fetch_account(connection, account_name)
        if account is None:
            raise AccountMissing(f"no account is named {account_name!r}")
        await add_grant(connection, account.id, amount, reason=reason)
        balance = await _fetch_balance(connection, account.id)
    return Account(account.id, account.name, balance)


async def revoke_key(database: Database, key_id: str) -> bool:
    """Revoke a key whoever's it is; written to the audit log. False: no such key in use."""
    async with database.begin() as connection:
        is_revoked = await mark_revoked(connection, key_id)
        if is_revoked:
            await record(connection, COMMAND_LINE, "revoke_key", target=key_id)
    return is_revoked


async def fetch_account(database: Database, name: str) -> Account | None:
    """The account of that name, if there is one."""
    async with database.begin() as connection:
        return await _fetch_account(connection, name)


async def _open_account(connection: AsyncConnection, name: str) -> uuid.UUID:
    """The id of the account of that name, made with an empty balance if it is new.

    Of two that make it at once, one waits for the other's commit and then finds it.
    """
    made = await connection.execute(
        postgresql_insert(accounts)
        .values(id=uuid_utils.compat.uuid7(), name=name)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(accounts.c.id)
    )
    account_id: uuid.UUID | None = made.scalar_one_or_none()
    if account_id is not None:
        await connection.execute(insert(balances).values(account_id=account_id))
        return account_id
    found = await connection.execute(select(accounts.c.id).where(accounts.c.name == name))
    existing_id: uuid.UUID = found.scalar_one()
    return existing_id


async def _fetch_account(connection: AsyncConnection, name: str) -> Account | None:
    found = await connection.execute(
        select(accounts.c.id, balances.c.posted - balances.c.held)
        .join_from(accounts, balances, balances.c.account_id == accounts.c.id)
        .where(accounts.c.name == name)
    )
    row = found.one_or_none()
    return None if row is None else Account(row[0], name, Credits(row[1]))


async def _fetch_balance(connection: AsyncConnection, account_id: uuid.UUID) -> Credits:
    found = await connection.execute(
        select(balances.c.posted - balances.c.held).where(balances.c.account_id == account_id)
    )
    return Credits(found.scalar_one())
