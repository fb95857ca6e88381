"""Chooses the payment provider by the settings."""

from __future__ import annotations

import httpx
from pydantic import SecretStr

from billing.top_ups.ports import PaymentProvider
from serve.accounts.settings import AccountsSettings
from serve.accounts.top_ups.free_payments import TestProvider
from serve.accounts.top_ups.stripe import StripeProvider


def make_provider(
    settings: AccountsSettings,
    key_hash_secret: SecretStr,
    transport: httpx.AsyncBaseTransport | None = None,
) -> PaymentProvider | None:
    """None: credits are not sold here. `transport` in place of the network."""
    match settings.payment_provider:
        case "stripe":
            return StripeProvider(settings, settings.public_url, transport)
        case "test":
            secret = key_hash_secret.get_secret_value().encode()
            return TestProvider(settings, settings.public_url, secret, transport)
        case "none":
            return None
