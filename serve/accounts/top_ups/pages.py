"""The page of the payment provider `test`, where whoever opens it says how a payment ends."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import HTMLResponse

from billing.top_ups.errors import ProviderUnavailable
from billing.top_ups.queries import fetch_top_up_of_checkout
from billing.top_ups.values import Status, TopUp
from serve.accounts.access import Access, make_router
from serve.accounts.services import Services, ServicesDependency
from serve.accounts.top_ups.free_payments import TestProvider
from serve.http import read_body
from serve.refusals import Code, Fault, Refusal

router = make_router(Access.PUBLIC, "test payments", prefix="/test-payments")

_FORM_BYTES_MAX = 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Test payment</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 28rem; margin: 4rem auto }}
button {{ font: inherit; padding: .5rem 1.5rem; margin-right: .5rem }}
</style>
<h1>Test payment</h1>
<p>{credits} credits for {price} {currency}. No money moves.</p>
{rest}
</html>
"""
_BUTTONS = """\
<form method="post">
<button name="outcome" value="paid">Pay</button>
<button name="outcome" value="declined">Decline</button>
</form>"""

_SAID = {
    Status.PENDING: "<p>Not paid yet.</p>",
    Status.PAID: "<p>Paid: the credits are there. You can close this page.</p>",
    Status.FAILED: "<p>Declined. You can close this page.</p>",
    Status.CHARGED_BACK: "<p>Charged back.</p>",
}


@router.get("/{reference}", include_in_schema=False)
async def show_checkout(reference: str, services: ServicesDependency) -> HTMLResponse:
    """What is to be paid, and a button for each ending."""
    _, top_up = await _find(services, reference)
    return _page(top_up, _BUTTONS if _is_open(top_up) else _say_end(top_up))


@router.post("/{reference}", include_in_schema=False)
async def end_checkout(
    reference: str, request: Request, services: ServicesDependency
) -> HTMLResponse:
    """Have the provider tell our webhook route, as a real one does, and say how it stands then."""
    provider, top_up = await _find(services, reference)
    body = await read_body(dict(request.scope["headers"]), request.receive, _FORM_BYTES_MAX)
    outcome = parse_qs(body.decode("latin-1")).get("outcome", [""])[0]
    if outcome not in {"paid", "declined"}:
        fault = Fault("/outcome", "Send `paid` or `declined`.")
        raise Refusal(Code.INVALID_REQUEST, "The form is not as it should be.", None, (fault,))
    try:
        await provider.decide(top_up, is_paid=outcome == "paid", now=services.now())
    except ProviderUnavailable as error:
        return _page(top_up, f"<p>{escape(str(error))}</p>{_BUTTONS}", status=503)
    _, top_up = await _find(services, reference)
    return _page(top_up, _say_end(top_up))


def _say_end(top_up: TopUp) -> str:
    """With the way back, where the buyer told one; this page's address stays secret on it."""
    said = _SAID[top_up.status]
    if top_up.return_url is None:
        return said
    link = f'<a href="{escape(top_up.return_url)}" rel="noreferrer">Back to where you came from</a>'
    return f"{said}\n<p>{link}</p>"


def _is_open(top_up: TopUp) -> bool:
    return top_up.status in {Status.PENDING, Status.FAILED}


async def _find(services: Services, reference: str) -> tuple[TestProvider, TopUp]:
    provider = services.payments
    if isinstance(provider, TestProvider):
        top_up = await fetch_top_up_of_checkout(services.database, provider.name, reference)
        if top_up is not None:
            return provider, top_up
    raise Refusal(Code.NOT_FOUND, "There is no such payment.")


def _page(top_up: TopUp, rest: str, status: int = 200) -> HTMLResponse:
    """`rest` is HTML. The price stays in minor units: how many make a whole is not known here."""
    page = _PAGE.format(
        credits=escape(str(top_up.amount)),
        price=top_up.price.minor_units,
        currency=escape(f"{top_up.price.currency.upper()} minor units"),
        rest=rest,
    )
    return HTMLResponse(page, status, _HEADERS)
