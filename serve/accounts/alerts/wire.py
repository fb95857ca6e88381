"""Alerts and their deliveries as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from billing.alerts.values import Alert
from billing.credits import ZERO, Credits
from billing.outbox.values import Delivery
from serve.accounts.outbox.urls import URL_CHARACTERS_MAX
from serve.wire import Amount, Wire


def _check_positive(level: Credits) -> Credits:
    if level <= ZERO:
        raise ValueError("a level is above 0: a balance never falls below 0")
    return level


class AlertRequest(Wire):
    """Have `url` told when the balance falls below `level`."""

    level: Annotated[Amount, AfterValidator(_check_positive)]
    url: str = Field(
        max_length=URL_CHARACTERS_MAX,
        description="https, without user name, password and fragment; a public address",
        examples=["https://example.com/farebox"],
    )


class AlertView(Wire):
    """An alert: one event for each time the posted balance falls below the level."""

    id: uuid.UUID
    level: Amount
    url: str
    is_below: bool = Field(description="Side of the balance when it was last looked at")
    created_at: datetime

    @classmethod
    def of(cls, alert: Alert) -> AlertView:
        return cls(
            id=alert.id,
            level=alert.level,
            url=alert.url,
            is_below=alert.is_below,
            created_at=alert.created_at,
        )


class NewAlertView(AlertView):
    """An alert with its secret: nothing shows it again."""

    secret: str = Field(description="Signs what is sent; keep it", examples=["whsec_..."])


class DeliveryView(Wire):
    """What became of one event."""

    id: uuid.UUID = Field(description="Sent as `Farebox-Delivery`, and in the event as `id`")
    type: str = Field(examples=["balance.low"])
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    next_attempt_at: datetime | None = Field(description="null once it has ended")
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryView:
        return cls(
            id=delivery.id,
            type=delivery.event,
            status=delivery.status.value,
            attempts=delivery.attempts,
            next_attempt_at=delivery.next_attempt_at,
            last_error=delivery.last_error,
            created_at=delivery.created_at,
            ended_at=delivery.ended_at,
        )
