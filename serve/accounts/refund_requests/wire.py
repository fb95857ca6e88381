"""Requests for refunds as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from pydantic import Field

from billing.refund_requests.values import RefundRequest, Status
from serve.accounts.grants.wire import PositiveAmount, Reason
from serve.wire import Amount, Wire


class NewRefundRequestBody(Wire):
    """Why a prediction should be refunded."""

    reason: Reason


class AcceptBody(Wire):
    """What to give back, and why."""

    amount: PositiveAmount | None = Field(default=None, description="Left out: all that is left")
    reason: Reason


class DeclineBody(Wire):
    """Why nothing is given back."""

    reason: Reason


class RefundRequestView(Wire):
    """A request to refund a prediction, and what was decided."""

    id: uuid.UUID
    account_id: uuid.UUID
    prediction_id: uuid.UUID
    reason: str = Field(description="The user's words; empty once their account is deleted")
    status: Status
    created_at: datetime
    decided_at: datetime | None = Field(description="null while it is open")
    decision_reason: str | None = Field(description="The operator's words; null while it is open")
    refund_id: uuid.UUID | None = Field(description="null unless it was accepted")
    refunded: Amount | None = Field(description="What was given back; null unless it was accepted")

    @classmethod
    def of(cls, request: RefundRequest) -> Self:
        """As the wire has it."""
        return cls(
            id=request.id,
            account_id=request.account_id,
            prediction_id=request.charge_id,
            reason=request.reason,
            status=request.status,
            created_at=request.created_at,
            decided_at=request.decided_at,
            decision_reason=request.decision_reason,
            refund_id=request.refund_id,
            refunded=request.refunded,
        )
