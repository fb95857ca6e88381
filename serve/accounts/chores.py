"""The chores of the bookkeeper, each with how often it is done."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from billing.holds.actions import expire_holds
from billing.reports.minutes import fold_minutes
from billing.reports.rollups import advance
from serve.accounts.bookkeeping import Chore
from serve.accounts.outbox.chores import make_alert_chores
from serve.accounts.services import Services

_HOLD_EXPIRY_SECONDS = 5.0
"""How late held credits are given back at most, where there are few."""

_FOLD_SECONDS = 600.0
"""How late minutes are folded into hours: small beside the hours they are kept."""


def make_chores(services: Services) -> list[Chore]:
    """Every chore may run beside its like in another process: each is correct by the database."""
    return [
        Chore("hold expiry", _HOLD_EXPIRY_SECONDS, partial(_expire_holds, services)),
        *make_alert_chores(services),
        Chore("rollups", services.settings.rollup_pause_seconds, partial(_advance, services)),
        Chore("minutes", _FOLD_SECONDS, partial(_fold_minutes, services)),
    ]


async def _expire_holds(services: Services) -> bool:
    return await expire_holds(services.database, services.now())


async def _advance(services: Services) -> bool:
    return await advance(services.database, services.settings.rollup_rows_max)


async def _fold_minutes(services: Services) -> bool:
    kept = timedelta(hours=services.settings.minutes_kept_hours)
    return await fold_minutes(services.database, services.now() - kept)
