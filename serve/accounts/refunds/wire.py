"""Refunds as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import Field

from billing.refunds.values import Refund
from serve.accounts.grants.wire import PositiveAmount, Reason
from serve.wire import Amount, Wire


class NewRefundBody(Wire):
    """What to give back, and why."""

    amount: PositiveAmount | None = Field(default=None, description="Left out: all that is left")
    reason: Reason


class RefundView(Wire):
    """Credits of a prediction that were given back."""

    id: uuid.UUID
    prediction_id: uuid.UUID
    amount: Amount
    reason: str
    created_at: datetime

    @classmethod
    def of(cls, refund: Refund) -> RefundView:
        """As the wire has it."""
        return cls(
            id=refund.id,
            prediction_id=refund.charge_id,
            amount=refund.amount,
            reason=refund.reason,
            created_at=refund.created_at,
        )
