"""Why a refund is not asked for, or not decided upon."""

from billing.errors import BillingError
from billing.refund_requests.values import RefundRequest


class RequestMissing(BillingError):
    """There is no such refund request."""

    code = "refund_request_missing"


class RequestOpen(BillingError):
    """A refund of the prediction is asked for already: nothing was done."""

    code = "refund_request_open"

    def __init__(self, request: RefundRequest) -> None:
        super().__init__(request)
        self.request = request


class RequestDecided(BillingError):
    """The request was accepted or declined before: nothing was done."""

    code = "refund_request_decided"

    def __init__(self, request: RefundRequest) -> None:
        super().__init__(request)
        self.request = request


class RequestsTooMany(BillingError):
    """The account has as many open requests as it may: nothing was done."""

    code = "refund_requests_too_many"


class PredictionFree(BillingError):
    """The prediction cost nothing: there is nothing to refund."""

    code = "prediction_free"


class PredictionRefunded(BillingError):
    """The prediction was refunded in full: there is nothing left to refund."""

    code = "prediction_refunded"
