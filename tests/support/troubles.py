"""What can go wrong around a replica in memory."""

from __future__ import annotations

from billing.errors import LedgerUnavailable
from billing.prices import PriceTable
from serve.pricing import Pricing
from serve.refusals import Code, Refusal
from tests.support.serving import Replica


def lose_ledger(replica: Replica) -> None:
    """Billing cannot reach the ledger."""
    replica.cashier.failure = LedgerUnavailable("gone")


def lose_scorer(replica: Replica) -> None:
    """No replica of the model answers."""
    replica.scorer.failure = Refusal(Code.SCORER_UNAVAILABLE, "gone")


def remove_prices(replica: Replica) -> None:
    """Nothing has a price any more."""
    replica.pipeline.pricing = Pricing(replica.accounts, PriceTable(()))
