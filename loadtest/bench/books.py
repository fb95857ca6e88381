"""What a server's accounts must have paid for the answers that it gave."""

from __future__ import annotations

from decimal import Decimal

from loadtest.bench.run import Run
from loadtest.money import Money, settle, sum_balances
from loadtest.target import Target


class Books:
    """Opened before the first request to a server, closed after the last."""

    def __init__(self, target: Target) -> None:
        self._base_url, self._keys = target.base_url, list(target.keys)
        self._before = sum_balances(self._base_url, self._keys) if self._keys else Decimal(0)
        self._answered = Decimal(0)
        self._unknown = Decimal(0)

    def add(self, run: Run, price: Decimal) -> None:
        """Every answer of a run cost `price`; a request that was never answered may have."""
        self._answered += price * run.answers_200
        self._unknown += price * run.unanswered

    def add_answer(self, price: Decimal) -> None:
        """One answer of status 200 outside a run."""
        self._answered += price

    def close(self) -> Money | None:
        """What the answers cost beside what left the accounts; None where nobody pays."""
        if not self._keys:
            return None
        return settle(
            self._before,
            self._answered,
            self._unknown,
            lambda: sum_balances(self._base_url, self._keys),
        )
