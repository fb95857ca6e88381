"""What was paid before, and how it answers a retry."""

from __future__ import annotations

from dataclasses import dataclass

from billing.charges import AnswerExpired, Earlier, KeyConflict, Replayed, StoredAnswer
from billing.credits import Credits


@dataclass(frozen=True, slots=True)
class PaidCharge:
    """A charge as the ledger has it; `stored.predictions` is empty where it `is_expired`."""

    stored: StoredAnswer
    body_sha256: bytes
    is_expired: bool
    balance: Credits
    """What the account can spend now."""

    def answer(self, body_sha256: bytes | None) -> Earlier:
        """How a retry with this body ends; None stands for whatever the body was."""
        charge_id = self.stored.charge_id
        if body_sha256 is not None and body_sha256 != self.body_sha256:
            return KeyConflict(charge_id)
        if self.is_expired:
            return AnswerExpired(charge_id)
        return Replayed(self.stored, self.balance)
