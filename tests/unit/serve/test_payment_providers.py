"""What every payment provider does, and what Stripe's adapter makes of Stripe's events."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.top_ups.errors import BadSignature, ProviderUnavailable
from billing.top_ups.values import EventKind, Price
from serve.accounts.top_ups.settings import PaymentSettings
from tests.support.payments import (
    PUBLIC_URL,
    TEN_DOLLARS,
    Payments,
    StripePayments,
    TestPayments,
    make_charge_refunded,
    make_dispute,
    make_pending,
    make_session,
)

pytestmark = pytest.mark.anyio

BACK = "https://console.example.com/top-ups?paid=1"

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOP_UP_ID = uuid.UUID("0b9f1c1e-4f0e-4c86-9d5a-2f6f7f3f0a11")
METADATA = {"top_up_id": str(TOP_UP_ID)}


@pytest.mark.parametrize("make_payments", [TestPayments, StripePayments])
class TestEveryProvider:
    """The contract of the port."""

    @pytest.fixture
    def payments(self, make_payments: type[Payments]) -> Payments:
        return make_payments()

    async def test_a_checkout_has_a_reference_and_a_page_the_same_when_asked_again(
        self, payments: Payments
    ) -> None:
        top_up = make_pending(TOP_UP_ID, NOW)
        checkout = await payments.provider.create_checkout(top_up)
        assert checkout.reference
        assert checkout.url.startswith("http")
        assert await payments.provider.create_checkout(top_up) == checkout
        other = await payments.provider.create_checkout(make_pending(uuid.uuid4(), NOW))
        assert other.reference != checkout.reference

    @pytest.mark.parametrize("kind", EventKind)
    async def test_a_signed_event_is_read(self, payments: Payments, kind: EventKind) -> None:
        headers, body = payments.webhook(TOP_UP_ID, kind, NOW, event_id="evt_7")
        event = await payments.provider.read_event(headers, body, NOW)
        assert event is not None
        assert (event.provider, event.event_id) == (payments.provider.name, "evt_7")
        assert (event.kind, event.top_up_id) == (kind, TOP_UP_ID)
        assert event.money == (None if kind is EventKind.FAILED else TEN_DOLLARS)

    async def test_a_changed_or_unsigned_body_is_refused(self, payments: Payments) -> None:
        headers, body = payments.webhook(TOP_UP_ID, EventKind.PAID, NOW)
        with pytest.raises(BadSignature):
            await payments.provider.read_event(headers, body + b" ", NOW)
        with pytest.raises(BadSignature):
            await payments.provider.read_event({}, body, NOW)

    async def test_an_old_event_is_refused(self, payments: Payments) -> None:
        headers, body = payments.webhook(TOP_UP_ID, EventKind.PAID, NOW)
        with pytest.raises(BadSignature):
            await payments.provider.read_event(headers, body, NOW + timedelta(seconds=301))


async def read(payments: StripePayments, type_: str, what: dict[str, Any], **more: Any) -> Any:
    headers, body = payments.signed(type_, what, NOW, **more)
    return await payments.provider.read_event(headers, body, NOW)


@pytest.fixture
def stripe() -> StripePayments:
    return StripePayments()


async def test_stripe_is_told_the_price_and_where_the_top_up_is_known(
    stripe: StripePayments,
) -> None:
    await stripe.provider.create_checkout(make_pending(TOP_UP_ID, NOW))
    form = stripe.stripe.form()
    assert stripe.stripe.requests[-1].headers["idempotency-key"] == str(TOP_UP_ID)
    assert form["mode"] == "payment"
    assert form["client_reference_id"] == str(TOP_UP_ID)
    assert form["metadata[top_up_id]"] == str(TOP_UP_ID)
    assert form["payment_intent_data[metadata][top_up_id]"] == str(TOP_UP_ID)
    assert form["line_items[0][price_data][unit_amount]"] == "1000"
    assert form["line_items[0][price_data][currency]"] == "usd"
    assert form["line_items[0][quantity]"] == "1"


@pytest.mark.parametrize(("return_url", "told"), [(BACK, BACK), (None, PUBLIC_URL)])
async def test_stripe_is_told_where_the_browser_goes(
    return_url: str | None, told: str, stripe: StripePayments
) -> None:
    top_up = replace(make_pending(TOP_UP_ID, NOW), return_url=return_url)
    await stripe.provider.create_checkout(top_up)
    form = stripe.stripe.form()
    assert (form["success_url"], form["cancel_url"]) == (told, told)


async def test_a_stripe_that_is_down_is_unavailable(stripe: StripePayments) -> None:
    stripe.stripe.is_down = True
    with pytest.raises(ProviderUnavailable):
        await stripe.provider.create_checkout(make_pending(TOP_UP_ID, NOW))


async def test_money_under_way_is_not_paid_yet(stripe: StripePayments) -> None:
    session = make_session(METADATA, TEN_DOLLARS, "unpaid")
    assert await read(stripe, "checkout.session.completed", session) is None
    session = make_session(METADATA, TEN_DOLLARS, "paid")
    paid = await read(stripe, "checkout.session.async_payment_succeeded", session)
    assert paid.kind is EventKind.PAID


@pytest.mark.parametrize(
    "type_", ["checkout.session.async_payment_failed", "checkout.session.expired"]
)
async def test_what_was_not_paid_has_failed(stripe: StripePayments, type_: str) -> None:
    session = make_session(METADATA, TEN_DOLLARS, "unpaid")
    assert (await read(stripe, type_, session)).kind is EventKind.FAILED


async def test_each_refund_counts_by_what_it_added(stripe: StripePayments) -> None:
    first = await read(
        stripe,
        "charge.refunded",
        make_charge_refunded(METADATA, 300),
        previous={"amount_refunded": 0, "refunded": False},
    )
    second = await read(
        stripe,
        "charge.refunded",
        make_charge_refunded(METADATA, 1000),
        previous={"amount_refunded": 300},
    )
    assert (first.kind, first.money) == (EventKind.CHARGED_BACK, Price(300, "usd"))
    assert second.money == Price(700, "usd")


async def test_a_dispute_counts_when_the_money_leaves_and_not_by_an_inquiry(
    stripe: StripePayments,
) -> None:
    stripe.stripe.payments["pi_1"] = METADATA
    dispute = make_dispute("pi_1", Price(400, "usd"))
    assert await read(stripe, "charge.dispute.created", dispute) is None
    event = await read(stripe, "charge.dispute.funds_withdrawn", dispute)
    assert (event.kind, event.top_up_id) == (EventKind.CHARGED_BACK, TOP_UP_ID)
    assert event.money == Price(400, "usd")


async def test_a_dispute_waits_for_a_stripe_that_is_down(stripe: StripePayments) -> None:
    stripe.stripe.is_down = True
    with pytest.raises(ProviderUnavailable):
        await read(stripe, "charge.dispute.funds_withdrawn", make_dispute("pi_1", TEN_DOLLARS))


async def test_what_else_the_stripe_account_sells_is_not_ours(stripe: StripePayments) -> None:
    stripe.stripe.payments["pi_2"] = {}
    for type_, what in [
        ("checkout.session.completed", make_session({}, TEN_DOLLARS, "paid")),
        ("checkout.session.completed", make_session({"top_up_id": "?"}, TEN_DOLLARS, "paid")),
        ("charge.refunded", make_charge_refunded({}, 300)),
        ("charge.dispute.funds_withdrawn", make_dispute("pi_2", TEN_DOLLARS)),
        ("charge.dispute.funds_withdrawn", make_dispute(None, TEN_DOLLARS)),
        ("customer.created", {"id": "cus_1"}),
        ("checkout.session.completed", {"id": "cs_without_anything"}),
    ]:
        assert await read(stripe, type_, what) is None


def test_stripe_needs_its_secrets() -> None:
    with pytest.raises(ValueError, match="FAREBOX_STRIPE_SECRET_KEY"):
        PaymentSettings(payment_provider="stripe")


def test_nobody_sells_credits_unless_told() -> None:
    assert PaymentSettings().payment_provider == "none"
