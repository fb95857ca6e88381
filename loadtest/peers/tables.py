"""The peer's own database: made, filled with accounts and dropped by whoever runs the peer."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from urllib.parse import urlsplit, urlunsplit

import asyncpg

DATABASE = "farebox_peer"
MICROCREDITS_PER_CREDIT = 1_000_000

TABLES = """
CREATE TABLE accounts (
    account_id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE api_keys (
    key_sha256 bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts
);
CREATE TABLE balances (
    account_id uuid PRIMARY KEY,
    posted_microcredits bigint NOT NULL CHECK (posted_microcredits >= 0)
) WITH (fillfactor = 50);
CREATE TABLE predictions (
    charge_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    instances integer NOT NULL,
    body_sha256 bytea NOT NULL,
    inputs bytea NOT NULL,
    predictions text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE entries (
    charge_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    amount_microcredits bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""


def asyncpg_url(database_url: str, database: str | None = None) -> str:
    """`database_url` without a SQLAlchemy driver name, pointing at `database` if one is given."""
    parts = urlsplit(database_url)
    scheme = parts.scheme.partition("+")[0]
    return urlunsplit(
        parts._replace(scheme=scheme, path=f"/{database}" if database else parts.path)
    )


def hash_key(api_key: str) -> bytes:
    """What is stored in place of a key: SHA-256 is enough, since keys are long and random."""
    return hashlib.sha256(api_key.encode()).digest()


async def create_database(server_url: str) -> str:
    """A fresh, empty `farebox_peer` beside the database of `server_url`; returns its URL."""
    await drop_database(server_url)
    await _execute(asyncpg_url(server_url), f"CREATE DATABASE {DATABASE}")
    url = asyncpg_url(server_url, DATABASE)
    await _execute(url, TABLES)
    return url


async def drop_database(server_url: str) -> None:
    """Drop `farebox_peer`, also when connections are left on it."""
    await _execute(asyncpg_url(server_url), f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


async def create_accounts(database_url: str, count: int, credits_each: int) -> list[str]:
    """Make `count` accounts with `credits_each` credits; returns one API key for each."""
    ids = [uuid.uuid4() for _ in range(count)]
    keys = [f"fb_live_{secrets.token_urlsafe(32)}" for _ in range(count)]
    posted = credits_each * MICROCREDITS_PER_CREDIT
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.executemany(
                "INSERT INTO accounts VALUES ($1, $2)",
                [(account_id, f"peer-{n:04d}") for n, account_id in enumerate(ids)],
            )
            await connection.executemany(
                "INSERT INTO api_keys VALUES ($1, $2)",
                [(hash_key(key), account_id) for key, account_id in zip(keys, ids, strict=True)],
            )
            await connection.executemany(
                "INSERT INTO balances VALUES ($1, $2)", [(account_id, posted) for account_id in ids]
            )
    finally:
        await connection.close()
    return keys


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
