"""The peer's ledger: one transaction for each request, on a pool of connections."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import asyncpg

from loadtest.peers.tables import hash_key

INSERT_PREDICTION = """
INSERT INTO predictions
    (charge_id, account_id, model, version, instances, body_sha256, inputs, predictions)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (charge_id) DO NOTHING
RETURNING true
"""
INSERT_ENTRY = """
INSERT INTO entries (charge_id, account_id, amount_microcredits) VALUES ($1, $2, $3)
"""
CHARGE_BALANCE = """
UPDATE balances SET posted_microcredits = posted_microcredits - $2
WHERE account_id = $1 AND posted_microcredits >= $2
RETURNING posted_microcredits
"""
FETCH_EARLIER = """
SELECT p.model, p.version, p.body_sha256, p.predictions, e.amount_microcredits,
       b.posted_microcredits
FROM predictions p JOIN entries e USING (charge_id) JOIN balances b ON b.account_id = p.account_id
WHERE p.charge_id = $1
"""


@dataclass(frozen=True, slots=True)
class PeerCharge:
    """One predicted request, to be paid and recorded."""

    charge_id: uuid.UUID
    account_id: uuid.UUID
    model: str
    version: str
    instances: int
    amount_microcredits: int
    body_sha256: bytes
    inputs: bytes
    predictions: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What was charged, now or by an earlier request with the same key."""

    model: str
    version: str
    predictions: str
    amount_microcredits: int
    balance_microcredits: int
    replayed: bool


class InsufficientCredits(Exception):
    """The balance cannot pay; nothing was charged."""


class KeyConflict(Exception):
    """The idempotency key was used with another body; nothing was charged."""


class PeerLedger:
    """Charges and look-ups on a pool; safe with any number of workers."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, database_url: str, connections_max: int) -> PeerLedger:
        """Open the pool. Sessions never change their settings, so releasing one costs no query."""
        pool = await asyncpg.create_pool(
            database_url,
            min_size=connections_max,
            max_size=connections_max,
            max_queries=1_000_000_000,
            reset=_keep_session,
        )
        return cls(pool)

    async def close(self) -> None:
        """Close the pool's connections."""
        await self._pool.close()

    async def fetch_account(self, api_key: str) -> uuid.UUID | None:
        """The account that `api_key` belongs to."""
        statement = "SELECT account_id FROM api_keys WHERE key_sha256 = $1"
        account_id: uuid.UUID | None = await self._pool.fetchval(statement, hash_key(api_key))
        return account_id

    async def fetch_balance(self, account_id: uuid.UUID) -> int:
        """Microcredits left."""
        statement = "SELECT posted_microcredits FROM balances WHERE account_id = $1"
        posted: int = await self._pool.fetchval(statement, account_id)
        return posted

    async def charge(self, charge: PeerCharge) -> Paid:
        """Pay and record `charge` in one transaction, or find what its id was answered before."""
        async with self._pool.acquire() as connection:
            paid = await _pay(connection, charge)
            return paid or await _fetch_earlier(connection, charge)


async def _pay(connection: asyncpg.Connection, charge: PeerCharge) -> Paid | None:
    """Charge now; None where the charge id exists. The hot row comes last, to be held briefly."""
    async with connection.transaction():
        new = await connection.fetchval(
            INSERT_PREDICTION,
            charge.charge_id,
            charge.account_id,
            charge.model,
            charge.version,
            charge.instances,
            charge.body_sha256,
            charge.inputs,
            charge.predictions,
        )
        if not new:
            return None
        amount = charge.amount_microcredits
        await connection.execute(INSERT_ENTRY, charge.charge_id, charge.account_id, -amount)
        balance = await connection.fetchval(CHARGE_BALANCE, charge.account_id, amount)
        if balance is None:
            raise InsufficientCredits
    return Paid(charge.model, charge.version, charge.predictions, amount, balance, replayed=False)


async def _fetch_earlier(connection: asyncpg.Connection, charge: PeerCharge) -> Paid:
    row = await connection.fetchrow(FETCH_EARLIER, charge.charge_id)
    if row["body_sha256"] != charge.body_sha256:
        raise KeyConflict
    return Paid(
        row["model"],
        row["version"],
        row["predictions"],
        -row["amount_microcredits"],
        row["posted_microcredits"],
        replayed=True,
    )


async def _keep_session(connection: asyncpg.Connection) -> None:
    """In place of asyncpg's four statements after each use."""
