"""The chores of the bookkeeper, each with how often it is done."""

from __future__ import annotations

from billing.grants.expiring import expire_grants
from billing.grants.feed import settle_feed
from serve.accounts.bookkeeping import Chore
from serve.accounts.services import Services


def make_chores(services: Services) -> list[Chore]:
    """Every chore may run beside its like in another process: each is correct by the database."""
    database = services.database
    return [
        Chore("settlement", 15, lambda: settle_feed(database)),
        Chore("grant_expiry", 60, lambda: expire_grants(database, services.now())),
    ]
