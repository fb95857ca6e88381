"""A request for a refund, and how it ends. Pure.

open -> accepted | declined
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.credits import Credits

ACCOUNT_DELETED = "account deleted"
"""Why a request is declined that nobody waits for any more."""


class Status(StrEnum):
    """How a request stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """Something was given back, all or a part of what was left."""
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a user asks for. `id` makes it safe to ask again."""

    id: uuid.UUID
    account_id: uuid.UUID
    charge_id: uuid.UUID
    reason: str

    def made(self, request: RefundRequest) -> bool:
        """Whether `request` is what this asks for."""
        return self == NewRequest(request.id, request.account_id, request.charge_id, request.reason)


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A user's request to get back what a prediction of theirs cost."""

    id: uuid.UUID
    account_id: uuid.UUID
    charge_id: uuid.UUID
    reason: str
    created_at: datetime
    status: Status = Status.OPEN
    decided_at: datetime | None = None
    decision_reason: str | None = None
    refund_id: uuid.UUID | None = None
    refunded: Credits | None = None
    """What was given back by `refund_id`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How a request ends. `refund_id`: what was given back; None: it is declined."""

    at: datetime
    reason: str
    refund_id: uuid.UUID | None = None

    @property
    def status(self) -> Status:
        return Status.DECLINED if self.refund_id is None else Status.ACCEPTED
