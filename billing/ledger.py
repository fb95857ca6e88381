"""The ledger over PostgreSQL: charges in one transaction, each id once.

`docs/adr/0002-charge-transaction.md` has the reasons for the order of the statements.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import asyncpg

from billing.charge_sql import INSERT_CHARGES, PAY, SELECT_AVAILABLE, SELECT_EARLIER
from billing.charges import (
    AnswerExpired,
    Charge,
    Charged,
    ChargeRejected,
    Earlier,
    InsufficientCredits,
    KeyConflict,
    Outcome,
    Replayed,
    StoredAnswer,
)
from billing.credits import ZERO, Credits
from billing.database import LOST, Database
from billing.errors import LedgerUnavailable, OutcomeUnknown
from billing.selection import choose_payable, due_by_account, running_balances

_ROUNDS_MAX = 8
"""Tries of one transaction: balances that moved meanwhile, deadlocks, lock timeouts."""
_ROUND_SECONDS = 0.02

_TRY_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
_POISONED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)


class _BalanceMoved(Exception):
    """Somebody spent from an account between the unlocked read and the update: nothing is done."""


class PostgresLedger:
    """Implements `billing.ports.Ledger`. Any number of these may work on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """See `Ledger.charge`; what one charge meets never decides another's."""
        first: dict[uuid.UUID, Charge] = {}
        for charge in charges:
            first.setdefault(charge.charge_id, charge)
        outcomes = await self._settle(list(first.values()))
        repeated = [charge for charge in charges if first[charge.charge_id] is not charge]
        again = iter(await self._outcomes_of_repeated(repeated, outcomes))
        return [
            outcomes[charge.charge_id] if first[charge.charge_id] is charge else next(again)
            for charge in charges
        ]

    async def find_earlier(
        self, account_id: uuid.UUID, charge_id: uuid.UUID, body_sha256: bytes | None
    ) -> Earlier | None:
        """See `Ledger.find_earlier`."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(SELECT_EARLIER, [charge_id])
        if row is None or row["account_id"] != account_id:
            return None
        return _earlier(row, body_sha256)

    async def fetch_balance(self, account_id: uuid.UUID) -> Credits:
        """See `Ledger.fetch_balance`; an unknown account has nothing."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(SELECT_AVAILABLE, [account_id])
        return Credits(row["available"]) if row else ZERO

    async def _settle(self, charges: list[Charge]) -> dict[uuid.UUID, Outcome]:
        """Outcomes by charge id, the ids being distinct; a poisoned charge is found by halving."""
        outcomes: dict[uuid.UUID, Outcome] = {}
        waiting = charges
        while waiting:
            try:
                settled = await self._settle_once(waiting)
            except _POISONED:
                if len(waiting) == 1:
                    return {waiting[0].charge_id: ChargeRejected(waiting[0].charge_id)}
                middle = len(waiting) // 2
                for half in (waiting[:middle], waiting[middle:]):
                    outcomes |= await self._settle(half)
                return outcomes
            outcomes |= settled
            waiting = _refused_beside_a_replay(waiting, settled)
        return outcomes

    async def _settle_once(self, charges: list[Charge]) -> dict[uuid.UUID, Outcome]:
        """One transaction, tried again when balances moved under it or a deadlock struck it."""
        for round_ in range(_ROUNDS_MAX):
            try:
                async with self._database.connection() as connection:
                    return await self._transact(connection, charges)
            except (_BalanceMoved, *_TRY_AGAIN):
                await asyncio.sleep(_ROUND_SECONDS * round_)
            except asyncpg.QueryCanceledError as error:
                raise LedgerUnavailable("a statement took too long") from error
        raise LedgerUnavailable("the accounts are too busy")

    async def _transact(
        self, connection: asyncpg.Connection, charges: list[Charge]
    ) -> dict[uuid.UUID, Outcome]:
        accounts = list({charge.account_id for charge in charges})
        rows = await connection.fetch(SELECT_AVAILABLE, accounts)
        available = {row["account_id"]: row["available"] for row in rows}
        payable, refused = choose_payable(charges, available)
        outcomes: dict[uuid.UUID, Outcome] = {}
        if payable:
            outcomes |= await self._commit(connection, payable)
        unsettled = [charge for charge in charges if charge.charge_id not in outcomes]
        earlier = await self._fetch_earlier(connection, unsettled)
        for charge in refused:
            left = Credits(max(available.get(charge.account_id, 0), 0))
            outcomes[charge.charge_id] = InsufficientCredits(charge.charge_id, charge.amount, left)
        return outcomes | earlier

    async def _commit(
        self, connection: asyncpg.Connection, charges: list[Charge]
    ) -> dict[uuid.UUID, Outcome]:
        """Record and pay those whose ids are new; raises _BalanceMoved with nothing done.

        Sorted by charge id, then by account: one lock order for everybody. The hot rows come last,
        so that their locks span the update and the commit alone.
        """
        ordered = sorted(charges, key=lambda charge: charge.charge_id)
        try:
            async with connection.transaction():
                rows = await connection.fetch(INSERT_CHARGES, *_columns(ordered))
                new_ids = {row["charge_id"] for row in rows}
                new = [charge for charge in charges if charge.charge_id in new_ids]
                due = due_by_account(new)
                paid = await connection.fetch(PAY, list(due), list(due.values())) if due else []
                if len(paid) != len(due):
                    raise _BalanceMoved
        except LOST as error:
            raise OutcomeUnknown(type(error).__name__) from error
        left = {row["account_id"]: row["available"] for row in paid}
        return {
            charge.charge_id: Charged(charge.charge_id, balance)
            for charge, balance in zip(new, running_balances(new, left), strict=True)
        }

    @staticmethod
    async def _fetch_earlier(
        connection: asyncpg.Connection, charges: Sequence[Charge]
    ) -> dict[uuid.UUID, Outcome]:
        """A statement of its own: rows that another transaction committed meanwhile show now."""
        if not charges:
            return {}
        rows = await connection.fetch(SELECT_EARLIER, [charge.charge_id for charge in charges])
        bodies = {charge.charge_id: charge.body_sha256 for charge in charges}
        return {row["charge_id"]: _earlier(row, bodies[row["charge_id"]]) for row in rows}

    async def _outcomes_of_repeated(
        self, repeated: Sequence[Charge], first: dict[uuid.UUID, Outcome]
    ) -> list[Outcome]:
        """The second of one id in one call gets what a retry would get."""
        if not repeated:
            return []
        async with self._database.connection() as connection:
            earlier = {
                charge: (await self._fetch_earlier(connection, [charge])).get(charge.charge_id)
                for charge in repeated
            }
        return [earlier[charge] or first[charge.charge_id] for charge in repeated]


def _columns(charges: Sequence[Charge]) -> tuple[list[object], ...]:
    return (
        [charge.charge_id for charge in charges],
        [charge.account_id for charge in charges],
        [charge.key_id for charge in charges],
        [charge.request_id for charge in charges],
        [charge.model for charge in charges],
        [charge.version for charge in charges],
        [charge.instances for charge in charges],
        [charge.amount.microcredits for charge in charges],
        [charge.body_sha256 for charge in charges],
        [charge.inputs for charge in charges],
        [charge.predictions for charge in charges],
    )


def _earlier(row: asyncpg.Record, body_sha256: bytes | None) -> Earlier:
    charge_id = row["charge_id"]
    if body_sha256 is not None and row["body_sha256"] != body_sha256:
        return KeyConflict(charge_id)
    if row["answer"] is None:
        return AnswerExpired(charge_id)
    stored = StoredAnswer(
        charge_id,
        row["model"],
        row["version"],
        row["answer"],
        Credits(row["amount_microcredits"]),
    )
    return Replayed(stored, Credits(row["available"]))


def _refused_beside_a_replay(
    charges: Sequence[Charge], outcomes: dict[uuid.UUID, Outcome]
) -> list[Charge]:
    """Those refused for want of credits that were set aside for a charge which proved free."""
    free = {
        charge.account_id
        for charge in charges
        if isinstance(outcomes[charge.charge_id], Replayed | AnswerExpired | KeyConflict)
    }
    return [
        charge
        for charge in charges
        if charge.account_id in free and isinstance(outcomes[charge.charge_id], InsufficientCredits)
    ]
