"""`/v1/terms`: what one gets here, before one signs up."""

from __future__ import annotations

from serve.accounts.access import Access, make_router
from serve.accounts.services import ServicesDependency
from serve.accounts.terms.wire import TermsView

router = make_router(Access.PUBLIC, "terms")


@router.get("/terms", summary="What one gets here")
async def read_terms(services: ServicesDependency) -> TermsView:
    """Welcome credits, the price of more, and how long things are kept. Prices of predictions are
    at `GET /v1/prices`."""
    return TermsView.of(services.billing, services.settings)
