"""The chores of the bookkeeper, each with how often it is done."""

from __future__ import annotations

from billing.sessions.actions import sweep_sessions
from serve.accounts.bookkeeping import Chore
from serve.accounts.services import Services

_SWEEP_PAUSE_SECONDS = 600.0


def make_chores(services: Services) -> list[Chore]:
    """Every chore may run beside its like in another process: each is correct by the database."""

    async def sweep() -> bool:
        lifetimes = services.settings.lifetimes
        return await sweep_sessions(services.database, lifetimes=lifetimes, now=services.now())

    return [Chore("sweep_sessions", _SWEEP_PAUSE_SECONDS, sweep)]
