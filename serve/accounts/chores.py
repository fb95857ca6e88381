"""The chores of the bookkeeper, each with how often it is done."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from billing.api_keys.actions import prune_spending
from billing.grants.expiring import expire_grants
from billing.grants.feed import settle_feed
from billing.holds.actions import expire_holds
from billing.reports.minutes import fold_minutes
from billing.reports.rollups import advance
from billing.sessions.actions import sweep_sessions
from serve.accounts.bookkeeping import Chore
from serve.accounts.drift.metrics import DriftMetrics
from serve.accounts.drift.watch import DriftWatch
from serve.accounts.outbox.chores import make_alert_chores
from serve.accounts.reconciliations.watch import LedgerWatch
from serve.accounts.services import Services

_SETTLEMENT_SECONDS = 15.0
"""Who needs to know sooner which grants paid settles the account there and then."""

_GRANT_EXPIRY_SECONDS = 60.0
"""How long expired credits can be spent at most, where there are few."""

_HOLD_EXPIRY_SECONDS = 5.0
"""How late held credits are given back at most, where there are few."""

_SWEEP_SECONDS = 600.0
"""Ended sessions open nothing: they are only tidied away."""

_FOLD_SECONDS = 600.0
"""How late minutes are folded into hours: small beside the hours they are kept."""

_SPENDING_SECONDS = 3_600.0
"""A capped key leaves a row a day behind."""

_DRIFT_SECONDS = 60.0
"""As often as scorers store what they counted."""


def make_chores(services: Services) -> list[Chore]:
    """Every chore may run beside its like in another process: each is correct by the database."""
    rollup_seconds = services.settings.rollup_pause_seconds
    drift = DriftWatch(services, DriftMetrics())
    return [
        Chore("drift", _DRIFT_SECONDS, drift.look),
        Chore("drift days", _SPENDING_SECONDS, drift.prune),
        Chore("settlement", _SETTLEMENT_SECONDS, partial(settle_feed, services.database)),
        Chore("grant expiry", _GRANT_EXPIRY_SECONDS, partial(_expire_grants, services)),
        Chore("hold expiry", _HOLD_EXPIRY_SECONDS, partial(_expire_holds, services)),
        Chore("session sweep", _SWEEP_SECONDS, partial(_sweep_sessions, services)),
        Chore("rollups", rollup_seconds, partial(_advance_rollups, services)),
        Chore("minutes", _FOLD_SECONDS, partial(_fold_minutes, services)),
        Chore("key spending", _SPENDING_SECONDS, partial(prune_spending, services.database)),
        *make_alert_chores(services),
        *_make_reconciliation(services),
    ]


def _make_reconciliation(services: Services) -> list[Chore]:
    """None where the ledger is checked by hand alone."""
    if services.settings.reconcile_hours == 0:
        return []
    watch = LedgerWatch(services)
    return [Chore("reconciliation", watch.pause_seconds, watch.look)]


async def _expire_grants(services: Services) -> bool:
    return await expire_grants(services.database, services.now())


async def _expire_holds(services: Services) -> bool:
    return await expire_holds(services.database, services.now())


async def _sweep_sessions(services: Services) -> bool:
    lifetimes = services.settings.lifetimes
    return await sweep_sessions(services.database, lifetimes=lifetimes, now=services.now())


async def _advance_rollups(services: Services) -> bool:
    return await advance(services.database, services.settings.rollup_rows_max)


async def _fold_minutes(services: Services) -> bool:
    kept = timedelta(hours=services.settings.minutes_kept_hours)
    return await fold_minutes(services.database, services.now() - kept)
