"""The payment provider `stripe`: Checkout Sessions, and what Stripe's webhooks tell of them.

The top-up's id travels as metadata of the session and of its PaymentIntent, whose charges inherit
it. A dispute has metadata of its own: its PaymentIntent is asked. Chargebacks are counted when the
money leaves (`charge.dispute.funds_withdrawn`), not by `charge.dispute.created`, which comes for a
mere inquiry too. A dispute that is won later (`funds_reinstated`) is not acted upon: an operator
grants the credits again.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import pydantic
import structlog
from pydantic import BaseModel

from billing.top_ups.errors import ProviderUnavailable
from billing.top_ups.values import Checkout, EventKind, PaymentEvent, Price, TopUp
from serve.accounts.top_ups.settings import PaymentSettings
from serve.accounts.top_ups.signatures import verify

SIGNATURE_HEADER = "stripe-signature"
NAME = "stripe"
_TOP_UP = "top_up_id"

logger = structlog.get_logger(__name__)


class _Data(BaseModel):
    object: dict[str, Any]
    previous_attributes: dict[str, Any] = {}


class _Event(BaseModel):
    id: str
    type: str
    data: _Data


class _Session(BaseModel):
    metadata: dict[str, str] | None = None
    payment_status: str
    amount_total: int
    currency: str


class _Charge(BaseModel):
    metadata: dict[str, str] | None = None
    amount_refunded: int
    currency: str


class _Dispute(BaseModel):
    amount: int
    currency: str
    payment_intent: str | None = None


class _PaymentIntent(BaseModel):
    metadata: dict[str, str] | None = None


class _CreatedSession(BaseModel):
    id: str
    url: str


class StripeProvider:
    """Speaks to Stripe's API by HTTP; each call is safe to repeat."""

    name = NAME

    def __init__(
        self,
        settings: PaymentSettings,
        public_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` in place of the network. The settings hold both secrets."""
        assert settings.stripe_secret_key is not None
        assert settings.stripe_webhook_secret is not None
        self._api_url = settings.stripe_api_url.rstrip("/")
        self._secret_key = settings.stripe_secret_key
        self._webhook_secret = settings.stripe_webhook_secret
        self._tolerance_seconds = settings.webhook_tolerance_seconds
        self._timeout_seconds = settings.payment_timeout_seconds
        self._return_url = settings.payment_return_url or public_url
        self._transport = transport
        self._tls = ssl.create_default_context()

    async def create_checkout(self, top_up: TopUp) -> Checkout:
        """As the port says; Stripe knows a repeated call by the top-up's id."""
        return_url = top_up.return_url or self._return_url
        form = {
            "mode": "payment",
            "client_reference_id": str(top_up.id),
            f"metadata[{_TOP_UP}]": str(top_up.id),
            f"payment_intent_data[metadata][{_TOP_UP}]": str(top_up.id),
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": top_up.price.currency,
            "line_items[0][price_data][unit_amount]": str(top_up.price.minor_units),
            "line_items[0][price_data][product_data][name]": f"{top_up.amount} credits",
            "success_url": return_url,
            "cancel_url": return_url,
        }
        made = await self._call(
            "POST", "/v1/checkout/sessions", form, {"Idempotency-Key": str(top_up.id)}
        )
        try:
            session = _CreatedSession.model_validate(made)
        except pydantic.ValidationError as error:
            raise ProviderUnavailable("Stripe's answer is no Checkout Session") from error
        return Checkout(session.id, session.url)

    async def read_event(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> PaymentEvent | None:
        """As the port says."""
        secret = self._webhook_secret.get_secret_value().encode()
        verify(secret, headers.get(SIGNATURE_HEADER), body, now, self._tolerance_seconds)
        try:
            event = _Event.model_validate_json(body)
            return await self._understand(event)
        except pydantic.ValidationError as error:
            logger.warning("stripe_event_not_understood", faults=error.error_count())
            return None

    async def _understand(self, event: _Event) -> PaymentEvent | None:
        match event.type:
            case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
                return _session_paid(event)
            case "checkout.session.async_payment_failed" | "checkout.session.expired":
                session = _Session.model_validate(event.data.object)
                return _make_event(event, EventKind.FAILED, session.metadata, None)
            case "charge.refunded":
                return _charge_refunded(event)
            case "charge.dispute.funds_withdrawn":
                return await self._funds_withdrawn(event)
            case _:
                return None

    async def _funds_withdrawn(self, event: _Event) -> PaymentEvent | None:
        dispute = _Dispute.model_validate(event.data.object)
        if dispute.payment_intent is None:
            return None
        path = f"/v1/payment_intents/{quote(dispute.payment_intent, safe='')}"
        payment = _PaymentIntent.model_validate(await self._call("GET", path))
        money = Price(dispute.amount, dispute.currency)
        return _make_event(event, EventKind.CHARGED_BACK, payment.metadata, money)

    async def _call(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> object:
        authorization = f"Bearer {self._secret_key.get_secret_value()}"
        try:
            async with httpx.AsyncClient(
                transport=self._transport, verify=self._tls, timeout=self._timeout_seconds
            ) as client:
                response = await client.request(
                    method,
                    f"{self._api_url}{path}",
                    data=form,
                    headers={"Authorization": authorization, **(headers or {})},
                )
                if response.is_success:
                    return response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderUnavailable(f"Stripe cannot be asked: {error!r}") from error
        logger.error("stripe_refused", path=path, status=response.status_code)
        raise ProviderUnavailable(f"Stripe answered {response.status_code}")


def _session_paid(event: _Event) -> PaymentEvent | None:
    """None where the money is still under way, as by bank transfer: another event follows."""
    session = _Session.model_validate(event.data.object)
    if session.payment_status != "paid":
        return None
    money = Price(session.amount_total, session.currency)
    return _make_event(event, EventKind.PAID, session.metadata, money)


def _charge_refunded(event: _Event) -> PaymentEvent | None:
    """The charge tells the sum of its refunds, and what it was before this one."""
    charge = _Charge.model_validate(event.data.object)
    before = int(event.data.previous_attributes.get("amount_refunded") or 0)
    money = Price(charge.amount_refunded - before, charge.currency)
    return _make_event(event, EventKind.CHARGED_BACK, charge.metadata, money)


def _make_event(
    event: _Event, kind: EventKind, metadata: Mapping[str, str] | None, money: Price | None
) -> PaymentEvent | None:
    """None where the metadata names no top-up: the Stripe account sells other things too."""
    try:
        top_up_id = uuid.UUID((metadata or {}).get(_TOP_UP, ""))
    except ValueError:
        return None
    return PaymentEvent(NAME, event.id, kind, top_up_id, money)
