"""What can go wrong with payments."""

from billing.errors import BillingError


class BadSignature(BillingError):
    """A webhook's signature is missing, wrong or too old: nothing happened."""

    code = "bad_signature"


class ProviderUnavailable(BillingError):
    """The payment provider cannot be reached or refuses us: ask again later."""

    code = "provider_unavailable"


class PaymentMismatch(BillingError):
    """A provider says that a top-up was paid with less than its price: nothing was credited."""

    code = "payment_mismatch"
