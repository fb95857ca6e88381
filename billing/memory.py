"""A real ledger in memory, for tests: it passes the contract that the PostgreSQL one passes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from billing.charges import (
    AnswerExpired,
    Charge,
    Charged,
    ChargeRejected,
    Earlier,
    InsufficientCredits,
    Outcome,
    SpendingCapReached,
    StoredAnswer,
    StoredRows,
)
from billing.credits import ZERO, Credits
from billing.earlier import PaidCharge

_BODY_SHA256_BYTES = 32
_INSTANCES_MAX = 2**31 - 1


class MemoryLedger:
    """Implements `billing.ports.Ledger`; one charge after another, nothing awaited."""

    def __init__(self) -> None:
        self._balances: dict[uuid.UUID, Credits] = {}
        self._paid: dict[uuid.UUID, Charge] = {}
        self._expired: set[uuid.UUID] = set()
        self._caps: dict[str, Credits] = {}
        self._spent: dict[str, Credits] = {}

    def grant(self, account_id: uuid.UUID, amount: Credits) -> None:
        """Add credits; the account is made if it is new."""
        self._balances[account_id] = self._balances.get(account_id, ZERO) + amount

    def cap(self, key_id: str, amount: Credits | None) -> None:
        """Let a key spend so much in all; None: as much as there is.

        What it spent counts from its first cap on; without one nothing is counted.
        """
        if amount is None:
            self._caps.pop(key_id, None)
            self._spent.pop(key_id, None)
        else:
            self._caps[key_id] = amount

    def expire_answers(self) -> None:
        """Forget every stored answer, as after their retention; what was paid stays known."""
        self._expired.update(self._paid)

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """As the port says."""
        outcomes = [self._charge(charge) for charge in charges]
        return [
            self._answer(charge) if outcome is None else outcome
            for charge, outcome in zip(charges, outcomes, strict=True)
        ]

    async def find_earlier(
        self, account_id: uuid.UUID, charge_id: uuid.UUID, body_sha256: bytes | None
    ) -> Earlier | None:
        """As the port says."""
        paid = self._paid.get(charge_id)
        if paid is None or paid.account_id != account_id:
            return None
        return self._read(paid).answer(body_sha256)

    async def find_rows(
        self, account_id: uuid.UUID, charge_id: uuid.UUID
    ) -> StoredRows | AnswerExpired | None:
        """As the port says."""
        paid = self._paid.get(charge_id)
        if paid is None or paid.account_id != account_id:
            return None
        if charge_id in self._expired:
            return AnswerExpired(charge_id)
        return StoredRows(self._read(paid).stored, paid.inputs)

    async def fetch_balance(self, account_id: uuid.UUID) -> Credits:
        """As the port says; an unknown account has nothing."""
        return self._balances.get(account_id, ZERO)

    def _charge(self, charge: Charge) -> Outcome | None:
        """None where the id was paid before: answered with the balance after the whole batch."""
        if charge.charge_id in self._paid:
            return None
        available = self._balances.get(charge.account_id)
        if available is None or charge.amount > available:
            return InsufficientCredits(charge.charge_id, charge.amount, available or ZERO)
        left = self._left_of(charge.key_id)
        if left is not None and charge.amount > left:
            return SpendingCapReached(charge.charge_id, charge.amount, left)
        if not _is_sound(charge):
            return ChargeRejected(charge.charge_id)
        if left is not None:
            self._spent[charge.key_id] = self._spent.get(charge.key_id, ZERO) + charge.amount
        self._paid[charge.charge_id] = charge
        self._balances[charge.account_id] = available - charge.amount
        return Charged(charge.charge_id, available - charge.amount)

    def _left_of(self, key_id: str) -> Credits | None:
        """What the key's cap leaves, which may be less than was spent; None without a cap."""
        cap = self._caps.get(key_id)
        return None if cap is None else max(cap - self._spent.get(key_id, ZERO), ZERO)

    def _answer(self, charge: Charge) -> Outcome:
        paid = self._paid[charge.charge_id]
        if paid.account_id != charge.account_id:
            return ChargeRejected(charge.charge_id)
        return self._read(paid).answer(charge.body_sha256)

    def _read(self, paid: Charge) -> PaidCharge:
        is_expired = paid.charge_id in self._expired
        stored = StoredAnswer(
            charge_id=paid.charge_id,
            model=paid.model,
            version=paid.version,
            predictions=b"" if is_expired else paid.predictions,
            amount=paid.amount,
        )
        return PaidCharge(stored, paid.body_sha256, is_expired, self._balances[paid.account_id])


def _is_sound(charge: Charge) -> bool:
    """What the tables' constraints say of a charge."""
    texts = (charge.key_id, charge.request_id, charge.model, charge.version)
    return (
        charge.amount >= ZERO
        and 0 < charge.instances <= _INSTANCES_MAX
        and len(charge.body_sha256) == _BODY_SHA256_BYTES
        and all(_is_storable(text) for text in texts)
    )


def _is_storable(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
