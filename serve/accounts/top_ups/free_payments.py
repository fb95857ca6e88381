"""The payment provider `test`: a hosted page of our own, signed webhooks, and no money."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import uuid
from collections.abc import Mapping
from datetime import datetime

import httpx
import pydantic
from pydantic import BaseModel

from billing.top_ups.errors import ProviderUnavailable
from billing.top_ups.values import Checkout, EventKind, PaymentEvent, Price, TopUp
from serve.accounts.top_ups.settings import PaymentSettings
from serve.accounts.top_ups.signatures import sign, verify

SIGNATURE_HEADER = "farebox-test-signature"
NAME = "test"


class _Event(BaseModel):
    """A webhook's body."""

    id: str
    kind: EventKind
    top_up_id: uuid.UUID
    minor_units: int | None = None
    currency: str = ""


class TestProvider:
    """Whoever knows a checkout's page decides whether it is paid."""

    __test__ = False  # the name is not that of a test

    name = NAME

    def __init__(
        self,
        settings: PaymentSettings,
        public_url: str,
        key_hash_secret: bytes,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` takes the webhooks in place of the network."""
        self._tolerance_seconds = settings.webhook_tolerance_seconds
        self._timeout_seconds = settings.payment_timeout_seconds
        self._base_url = f"{public_url.rstrip('/')}/accounts"
        self._secret = hmac.digest(key_hash_secret, b"webhooks of test payments", hashlib.sha256)
        self._transport = transport
        self._tls = ssl.create_default_context()

    async def create_checkout(self, top_up: TopUp) -> Checkout:
        """As the port says; the page's address cannot be guessed from the id."""
        reference = f"tp_{hmac.new(self._secret, top_up.id.bytes, hashlib.sha256).hexdigest()[:32]}"
        return Checkout(reference, f"{self._base_url}/test-payments/{reference}")

    async def read_event(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> PaymentEvent | None:
        """As the port says."""
        verify(self._secret, headers.get(SIGNATURE_HEADER), body, now, self._tolerance_seconds)
        try:
            event = _Event.model_validate_json(body)
        except pydantic.ValidationError:
            return None
        money = None
        if event.minor_units is not None:
            money = Price(event.minor_units, event.currency)
        return PaymentEvent(self.name, event.id, event.kind, event.top_up_id, money)

    def sign_event(self, event: PaymentEvent, now: datetime) -> tuple[dict[str, str], bytes]:
        """The headers and the body of the webhook that tells of `event`."""
        body = (
            _Event(
                id=event.event_id,
                kind=event.kind,
                top_up_id=event.top_up_id,
                minor_units=event.money.minor_units if event.money else None,
                currency=event.money.currency if event.money else "",
            )
            .model_dump_json()
            .encode()
        )
        headers = {
            SIGNATURE_HEADER: sign(self._secret, body, now),
            "content-type": "application/json",
        }
        return headers, body

    async def decide(self, top_up: TopUp, *, is_paid: bool, now: datetime) -> None:
        """Tell by a webhook how the checkout ended; the same ending again is the same event.

        Raises ProviderUnavailable where our own webhook route does not take it.
        """
        kind = EventKind.PAID if is_paid else EventKind.FAILED
        event_id = f"{top_up.provider_reference}:{kind}"
        event = PaymentEvent(
            self.name, event_id, kind, top_up.id, top_up.price if is_paid else None
        )
        headers, body = self.sign_event(event, now)
        url = f"{self._base_url}/v1/webhooks/{self.name}"
        try:
            async with httpx.AsyncClient(
                transport=self._transport,
                verify=self._tls,
                timeout=self._timeout_seconds,
                trust_env=False,
            ) as client:
                response = await client.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise ProviderUnavailable(f"the webhook was not delivered: {error!r}") from error
        if not response.is_success:
            raise ProviderUnavailable(f"the webhook was answered {response.status_code}")
