"""What a payment provider must do. Its adapters live where HTTP does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from billing.top_ups.values import Checkout, PaymentEvent, TopUp


class PaymentProvider(Protocol):
    """Takes the money on a page of its own and tells of it by signed webhooks."""

    @property
    def name(self) -> str:
        """As in `POST /v1/webhooks/{provider}` and in the tables."""
        ...

    async def create_checkout(self, top_up: TopUp) -> Checkout:
        """The page where this top-up is paid; the same one when asked again for the same id.

        Raises ProviderUnavailable.
        """
        ...

    async def read_event(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> PaymentEvent | None:
        """What a webhook says; None where it concerns no top-up of ours.

        `headers` with lower-case names. Raises BadSignature before anything else is looked at,
        and ProviderUnavailable where more must be asked of the provider.
        """
        ...
