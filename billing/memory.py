"""The ledger in memory: a real one for tests, held to the same contract as PostgreSQL's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from billing.charges import (
    AnswerExpired,
    Charge,
    Charged,
    Earlier,
    InsufficientCredits,
    KeyConflict,
    Outcome,
    Replayed,
    StoredAnswer,
)
from billing.credits import ZERO, Credits


@dataclass(slots=True)
class _Paid:
    charge: Charge
    answer_kept: bool = True


class MemoryLedger:
    """Implements `billing.ports.Ledger`."""

    def __init__(self) -> None:
        self.entries: list[tuple[uuid.UUID, Credits]] = []
        self._balances: dict[uuid.UUID, Credits] = {}
        self._paid: dict[uuid.UUID, _Paid] = {}

    def grant(self, account_id: uuid.UUID, amount: Credits) -> None:
        """Give credits; makes the account if it is new."""
        self._enter(account_id, amount)

    def prune_answers(self) -> None:
        """Forget every stored answer; charge ids are remembered."""
        for paid in self._paid.values():
            paid.answer_kept = False

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """See `Ledger.charge`."""
        return [self._charge_one(charge) for charge in charges]

    async def find_earlier(
        self, account_id: uuid.UUID, charge_id: uuid.UUID, body_sha256: bytes | None
    ) -> Earlier | None:
        """See `Ledger.find_earlier`."""
        paid = self._paid.get(charge_id)
        if paid is None or paid.charge.account_id != account_id:
            return None
        return self._earlier(paid, body_sha256)

    async def fetch_balance(self, account_id: uuid.UUID) -> Credits:
        """See `Ledger.fetch_balance`."""
        return self._balances.get(account_id, ZERO)

    def _charge_one(self, charge: Charge) -> Outcome:
        paid = self._paid.get(charge.charge_id)
        if paid is not None:
            return self._earlier(paid, charge.body_sha256)
        available = self._balances.get(charge.account_id)
        if available is None or available < charge.amount:
            return InsufficientCredits(charge.charge_id, charge.amount, available or ZERO)
        self._paid[charge.charge_id] = _Paid(charge)
        self._enter(charge.account_id, -charge.amount)
        return Charged(charge.charge_id, self._balances[charge.account_id])

    def _enter(self, account_id: uuid.UUID, amount: Credits) -> None:
        self.entries.append((account_id, amount))
        self._balances[account_id] = self._balances.get(account_id, ZERO) + amount

    def _earlier(self, paid: _Paid, body_sha256: bytes | None) -> Earlier:
        charge = paid.charge
        if body_sha256 is not None and charge.body_sha256 != body_sha256:
            return KeyConflict(charge.charge_id)
        if not paid.answer_kept:
            return AnswerExpired(charge.charge_id)
        stored = StoredAnswer(
            charge.charge_id, charge.model, charge.version, charge.predictions, charge.amount
        )
        return Replayed(stored, self._balances[charge.account_id])
