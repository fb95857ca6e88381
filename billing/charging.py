"""The charge transaction: what is chosen, how it is committed, and what its failures mean.

Balances are read without a lock, what can be paid is chosen in arrival order, and one statement
(`charge_sql.CHARGE`) commits it or is refused as a whole when a balance would fall below zero.
Then what was paid before is read back by a new statement.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Collection, Mapping, Sequence

import asyncpg

from billing import charge_sql
from billing.charges import (
    AnswerExpired,
    Charge,
    Charged,
    ChargeRejected,
    InsufficientCredits,
    Outcome,
    SpendingCapReached,
    StoredAnswer,
    StoredRows,
)
from billing.choice import Available, choose, find_short
from billing.credits import ZERO, Credits
from billing.database import CONNECTION_LOST
from billing.earlier import PaidCharge
from billing.errors import OutcomeUnknown

_ROUNDS_MAX = 4
"""Times a batch is chosen anew while others spend the same credits; then each charge alone."""

_RETRIES_MAX = 5
_RETRY_SECONDS = 0.01
"""For deadlocks and serialization failures, which one lock order should never let happen."""

_POISON = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""How the database speaks of a charge that it refuses whatever stands beside it."""

_ROLLED_BACK = "ERROR"
"""The severity by which the server says that the transaction is over and nothing was kept."""

_AMOUNT = Charge._fields.index("amount")


class _Refused(Exception):
    """A balance would have fallen below zero, or a key passed its cap; nothing was kept."""


class _Poisoned(Exception):
    """One of the charges is such that the database cannot take it; nothing was kept."""


class Charging:
    """One call of `charge`, over one connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.has_committed = False
        """Whether some charge of this call was paid: from then on no failure means "nothing"."""

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """Outcomes in the order given, as if each had been charged after the one before.

        Raises OutcomeUnknown when the end of the charging statement was not heard.
        """
        try:
            for _ in range(_ROUNDS_MAX):
                try:
                    return await self._charge_payable(charges)
                except _Refused:
                    continue
        except _Poisoned:
            return await self._charge_halves(charges)
        return [await self._charge_alone(charge) for charge in charges]

    async def _charge_payable(self, charges: Sequence[Charge]) -> list[Outcome]:
        available = await self._fetch_available(charges)
        paid = await self._find_paid(find_short(charges, available))
        choice = choose(charges, available, paid)
        balances = await self._commit([charges[place] for place in choice.chosen])
        outcomes: dict[int, Outcome] = dict(choice.refused)
        repeated = list(choice.repeated)
        for place, balance in zip(choice.chosen, balances, strict=True):
            if balance is None:
                repeated.append(place)
            else:
                outcomes[place] = Charged(charges[place].charge_id, balance)
        if repeated:
            outcomes |= await self._read_back({place: charges[place] for place in repeated})
        return [outcomes[place] for place in range(len(charges))]

    async def _fetch_available(self, charges: Sequence[Charge]) -> Available:
        accounts, keys = {c.account_id for c in charges}, {c.key_id for c in charges}
        try:
            return await fetch_available(self._connection, accounts, keys)
        except _POISON as error:
            raise _Poisoned from error

    async def _charge_alone(self, charge: Charge) -> Outcome:
        """The end of all rounds: a refusal of a single charge is final, and true."""
        try:
            [outcome] = await self._charge_payable([charge])
        except _Refused:
            return await self._say_what_is_short(charge)
        except _Poisoned:
            return await self._reject(charge)
        return outcome

    async def _say_what_is_short(self, charge: Charge) -> Outcome:
        available = await fetch_available(self._connection, [charge.account_id], [charge.key_id])
        in_key = available.keys.get(charge.key_id)
        if in_key is not None and charge.amount > in_key:
            return SpendingCapReached(charge.charge_id, charge.amount, in_key)
        in_account = available.accounts.get(charge.account_id, ZERO)
        return InsufficientCredits(charge.charge_id, charge.amount, in_account)

    async def _reject(self, charge: Charge) -> Outcome:
        """Constraints are checked before conflicts: the id may have been paid all the same."""
        return (await self._read_back({0: charge}))[0]

    async def _charge_halves(self, charges: Sequence[Charge]) -> list[Outcome]:
        """Find the charge that poisons the others by bisection."""
        if len(charges) == 1:
            return [await self._reject(charges[0])]
        middle = len(charges) // 2
        first = await self.charge(charges[:middle])
        return first + await self.charge(charges[middle:])

    async def _find_paid(self, short: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Retries of the paid must not count against what is left; the others need no look-up."""
        if not short:
            return set()
        rows = await self._connection.fetch(charge_sql.FIND_PAID, list(short))
        return {row["charge_id"] for row in rows}

    async def _read_back(self, repeated: Mapping[int, Charge]) -> dict[int, Outcome]:
        """A charge that is neither new nor this account's has another's id: refused."""
        pairs = [(charge.charge_id, charge.account_id) for charge in repeated.values()]
        found = await fetch_earlier(self._connection, pairs)
        return {
            place: earlier.answer(charge.body_sha256)
            if (earlier := found.get((charge.charge_id, charge.account_id)))
            else ChargeRejected(charge.charge_id)
            for place, charge in repeated.items()
        }

    async def _commit(self, charges: Sequence[Charge]) -> list[Credits | None]:
        """Pay for those that are new: the balance after each, None for one paid before."""
        if not charges:
            return []
        places = sorted(range(len(charges)), key=lambda place: charges[place].charge_id.bytes)
        columns: list[Sequence[object]] = list(
            zip(*(charges[place] for place in places), strict=True)
        )
        columns[_AMOUNT] = [charges[place].amount.microcredits for place in places]
        rows = await self._execute_charge([*columns, places])
        self.has_committed = self.has_committed or bool(rows)
        balances = {charge_id: Credits(available) for charge_id, available in rows}
        return [balances.get(charge.charge_id) for charge in charges]

    async def _execute_charge(self, columns: Sequence[object]) -> list[asyncpg.Record]:
        for retry in range(_RETRIES_MAX + 1):
            try:
                return list(await self._connection.fetch(charge_sql.CHARGE, *columns))
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if retry == _RETRIES_MAX:
                    raise
            except _POISON as error:
                if getattr(error, "constraint_name", None) in charge_sql.REFUSED_BY:
                    raise _Refused from error
                raise _Poisoned from error
            except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
                if getattr(error, "severity_en", None) == _ROLLED_BACK:
                    raise
                raise OutcomeUnknown(f"the end of a charge was not heard: {error}") from error
            await asyncio.sleep(_RETRY_SECONDS * (1 + retry) * random.random())  # noqa: S311
        raise AssertionError("the last retry returns or raises")


async def fetch_available(
    connection: asyncpg.Connection, account_ids: Collection[uuid.UUID], key_ids: Collection[str]
) -> Available:
    """What each account and each capped key can spend now; the others are left out."""
    rows = await connection.fetch(charge_sql.FETCH_AVAILABLE, list(account_ids), list(key_ids))
    accounts: dict[uuid.UUID, Credits] = {}
    keys: dict[str, Credits] = {}
    lineages: dict[str, str] = {}
    for account_id, key_id, lineage_id, available in rows:
        if account_id is not None:
            accounts[account_id] = Credits(available)
        else:
            keys[key_id] = Credits(available)
            lineages[key_id] = lineage_id
    return Available(accounts, keys, lineages)


async def fetch_earlier(
    connection: asyncpg.Connection, pairs: Sequence[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], PaidCharge]:
    """What was paid, by (charge id, account id); pairs that were not are left out."""
    charge_ids, account_ids = zip(*pairs, strict=True)
    rows = await connection.fetch(charge_sql.FETCH_EARLIER, charge_ids, account_ids)
    return {(row["charge_id"], row["account_id"]): _read_paid_charge(row) for row in rows}


async def fetch_rows(
    connection: asyncpg.Connection, account_id: uuid.UUID, charge_id: uuid.UUID
) -> StoredRows | AnswerExpired | None:
    """What this account asked and was answered by that charge; None where it has no such charge."""
    row = await connection.fetchrow(charge_sql.FETCH_ROWS, charge_id, account_id)
    if row is None:
        return None
    if row["predictions"] is None:
        return AnswerExpired(charge_id)
    return StoredRows(_read_answer(row), row["inputs"])


def _read_paid_charge(row: asyncpg.Record) -> PaidCharge:
    is_expired = row["predictions"] is None
    return PaidCharge(_read_answer(row), row["body_sha256"], is_expired, Credits(row["available"]))


def _read_answer(row: asyncpg.Record) -> StoredAnswer:
    return StoredAnswer(
        charge_id=row["charge_id"],
        model=row["model"],
        version=row["version"],
        predictions=row["predictions"] or b"",
        amount=Credits(row["amount_microcredits"]),
    )
