"""Holds as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from pydantic import Field

from billing.holds.values import Hold, Status
from serve.wire import Amount, Text, Wire


class HoldRequest(Wire):
    """Credits to be set aside."""

    amount: Amount
    reason: Text = Field(min_length=1, max_length=200, examples=["bulk job 12"])
    lifetime_seconds: int = Field(
        default=3600, ge=1, description="Afterwards the hold expires and its credits are given back"
    )


class CaptureRequest(Wire):
    """How much of a hold is spent."""

    amount: Amount | None = Field(
        default=None, description="Left out: all; less: the rest is given back"
    )


class HoldView(Wire):
    """Credits set aside."""

    id: uuid.UUID
    status: Status
    amount: Amount
    captured: Amount
    reason: str
    created_at: datetime
    expires_at: datetime
    resolved_at: datetime | None

    @classmethod
    def of(cls, hold: Hold) -> Self:
        return cls(
            id=hold.id,
            status=hold.status,
            amount=hold.amount,
            captured=hold.captured,
            reason=hold.reason,
            created_at=hold.created_at,
            expires_at=hold.expires_at,
            resolved_at=hold.resolved_at,
        )
