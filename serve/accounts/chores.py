"""The chores of the bookkeeper, each with how often it is done."""

from __future__ import annotations

from functools import partial

from billing.holds.actions import expire_holds
from serve.accounts.bookkeeping import Chore
from serve.accounts.outbox.chores import make_alert_chores
from serve.accounts.services import Services

_HOLD_EXPIRY_SECONDS = 5.0
"""How late held credits are given back at most, where there are few."""


def make_chores(services: Services) -> list[Chore]:
    """Every chore may run beside its like in another process: each is correct by the database."""
    return [
        Chore("hold expiry", _HOLD_EXPIRY_SECONDS, partial(_expire_holds, services)),
        *make_alert_chores(services),
    ]


async def _expire_holds(services: Services) -> bool:
    return await expire_holds(services.database, services.now())
