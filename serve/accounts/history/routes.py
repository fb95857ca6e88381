"""`/v1/balance`, `/v1/entries`, `/v1/predictions`: an account reads its own history."""

from __future__ import annotations

from billing.history.queries import fetch_balance
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.history.wire import BalanceView
from serve.accounts.services import ServicesDependency
from serve.wire import problem_responses

router = make_router(Access.READ, "history")


@router.get("/balance", summary="Credits of now", responses=problem_responses(401, 503))
async def read_balance(services: ServicesDependency, caller: CallerDependency) -> BalanceView:
    """What was posted, what is held for work under way, and what can be spent."""
    balance = await fetch_balance(services.database, caller.account_id)
    return BalanceView(
        posted=balance.posted,
        held=balance.held,
        available=balance.available,
        owed=balance.owed,
    )
