"""Payment providers for tests: ours, and Stripe's adapter before a Stripe that is not there."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs

import httpx
import orjson
from pydantic import SecretStr

from billing.credits import Credits
from billing.top_ups.ports import PaymentProvider
from billing.top_ups.values import EventKind, PaymentEvent, Price, TopUp
from serve.accounts.top_ups.free_payments import TestProvider
from serve.accounts.top_ups.settings import PaymentSettings
from serve.accounts.top_ups.signatures import sign
from serve.accounts.top_ups.stripe import StripeProvider

PUBLIC_URL = "http://127.0.0.1:8000"
WEBHOOK_SECRET = "whsec_test"
_numbers = itertools.count(1)


class Payments(Protocol):
    """A provider, and what it would send."""

    @property
    def provider(self) -> PaymentProvider: ...

    def webhook(
        self,
        top_up_id: uuid.UUID,
        kind: EventKind,
        now: datetime,
        *,
        money: Price | None = None,
        event_id: str | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of an event. `money` left out: 10 dollars."""
        ...


TEN_DOLLARS = Price(1000, "usd")


class TestPayments:
    """The provider `test`."""

    __test__ = False

    def __init__(self) -> None:
        self.provider = TestProvider(PaymentSettings(), PUBLIC_URL, b"s" * 32)

    def webhook(
        self,
        top_up_id: uuid.UUID,
        kind: EventKind,
        now: datetime,
        *,
        money: Price | None = None,
        event_id: str | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """As the protocol says."""
        told = None if kind is EventKind.FAILED else money or TEN_DOLLARS
        event_id = event_id or f"evt_{next(_numbers)}"
        return self.provider.sign_event(PaymentEvent("test", event_id, kind, top_up_id, told), now)


@dataclass
class FakeStripe:
    """Answers as Stripe's API does: sessions by idempotency key, metadata of payments."""

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, dict[str, str]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    is_down: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """A handler for httpx.MockTransport."""
        self.requests.append(request)
        if self.is_down:
            raise httpx.ConnectError("down")
        if request.headers["authorization"] != "Bearer sk_test_1":
            return httpx.Response(401, json={"error": {"type": "invalid_request_error"}})
        if request.method == "POST" and request.url.path == "/v1/checkout/sessions":
            key = request.headers["idempotency-key"]
            number = len(self.sessions) + 1
            session = {"id": f"cs_{number}", "url": f"https://checkout.stripe.com/c/pay/{number}"}
            return httpx.Response(200, json=self.sessions.setdefault(key, session))
        payment = self.payments.get(request.url.path.rpartition("/")[2])
        if payment is None:
            return httpx.Response(404, json={"error": {"type": "invalid_request_error"}})
        return httpx.Response(200, json={"object": "payment_intent", "metadata": payment})

    def form(self, number: int = -1) -> dict[str, str]:
        """The form of a request."""
        fields = parse_qs(self.requests[number].content.decode())
        return {name: values[0] for name, values in fields.items()}


class StripePayments:
    """The provider `stripe` with events in the shapes that Stripe documents."""

    def __init__(self) -> None:
        self.stripe = FakeStripe()
        settings = PaymentSettings(
            payment_provider="stripe",
            stripe_secret_key=SecretStr("sk_test_1"),
            stripe_webhook_secret=SecretStr(WEBHOOK_SECRET),
        )
        self.provider = StripeProvider(settings, PUBLIC_URL, httpx.MockTransport(self.stripe))

    def webhook(
        self,
        top_up_id: uuid.UUID,
        kind: EventKind,
        now: datetime,
        *,
        money: Price | None = None,
        event_id: str | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """As the protocol says; a chargeback is a dispute whose funds were withdrawn."""
        money = money or TEN_DOLLARS
        event_id = event_id or f"evt_{next(_numbers)}"
        metadata = {"top_up_id": str(top_up_id)}
        match kind:
            case EventKind.PAID:
                session = make_session(metadata, money, "paid")
                return self.signed("checkout.session.completed", session, now, event_id)
            case EventKind.FAILED:
                session = make_session(metadata, money, "unpaid")
                return self.signed("checkout.session.expired", session, now, event_id)
            case EventKind.CHARGED_BACK:
                self.stripe.payments["pi_1"] = metadata
                dispute = make_dispute("pi_1", money)
                return self.signed("charge.dispute.funds_withdrawn", dispute, now, event_id)

    def signed(
        self,
        type_: str,
        what: dict[str, Any],
        now: datetime,
        event_id: str = "evt",
        previous: dict[str, Any] | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of any event."""
        data = {"object": what} | ({"previous_attributes": previous} if previous else {})
        body = orjson.dumps(
            {
                "id": event_id,
                "object": "event",
                "api_version": "2025-05-28.basil",
                "created": int(now.timestamp()),
                "data": data,
                "livemode": False,
                "pending_webhooks": 1,
                "type": type_,
            }
        )
        return {"stripe-signature": sign(WEBHOOK_SECRET.encode(), body, now)}, body


def make_session(metadata: dict[str, str], money: Price, payment_status: str) -> dict[str, Any]:
    """A Checkout Session, as far as it matters and a little further."""
    return {
        "id": "cs_1",
        "object": "checkout.session",
        "amount_subtotal": money.minor_units,
        "amount_total": money.minor_units,
        "client_reference_id": metadata.get("top_up_id"),
        "currency": money.currency,
        "customer": None,
        "metadata": metadata,
        "mode": "payment",
        "payment_intent": "pi_1",
        "payment_status": payment_status,
        "status": "complete",
        "url": None,
    }


def make_dispute(payment_intent: str | None, money: Price) -> dict[str, Any]:
    """A dispute: its metadata is not the payment's."""
    return {
        "id": "du_1",
        "object": "dispute",
        "amount": money.minor_units,
        "charge": "ch_1",
        "currency": money.currency,
        "metadata": {},
        "payment_intent": payment_intent,
        "reason": "fraudulent",
        "status": "needs_response",
    }


def make_charge_refunded(
    metadata: dict[str, str], amount_refunded: int, currency: str = "usd"
) -> dict[str, Any]:
    """A charge some of which was given back."""
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 1000,
        "amount_refunded": amount_refunded,
        "currency": currency,
        "metadata": metadata,
        "payment_intent": "pi_1",
        "refunded": amount_refunded == 1000,
    }


def make_pending(top_up_id: uuid.UUID, now: datetime) -> TopUp:
    """10 credits for 10 dollars."""
    return TopUp(top_up_id, uuid.uuid4(), "any", Credits(10_000_000), TEN_DOLLARS, now)
