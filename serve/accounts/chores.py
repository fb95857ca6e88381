"""The chores of the bookkeeper, each with how often it is done."""

from __future__ import annotations

from serve.accounts.bookkeeping import Chore
from serve.accounts.outbox.chores import make_alert_chores
from serve.accounts.services import Services


def make_chores(services: Services) -> list[Chore]:
    """Every chore may run beside its like in another process: each is correct by the database."""
    return [*make_alert_chores(services)]
