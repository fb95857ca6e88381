"""Why a refund is not made."""

from billing.credits import Credits
from billing.errors import BillingError


class PredictionMissing(BillingError):
    """There is no such prediction."""

    code = "prediction_missing"


class RefundMissing(BillingError):
    """There is no such refund of that prediction."""

    code = "refund_missing"


class RefundExceedsCharge(BillingError):
    """Less than that is left of the charge: nothing was given back."""

    code = "refund_exceeds_charge"

    def __init__(self, left: Credits) -> None:
        super().__init__(left)
        self.left = left
