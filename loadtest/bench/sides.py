"""The two sides that are compared, and the money each took."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import httpx

from loadtest.bench.run import Load, Run
from loadtest.bench.single import SingleLatency, make_headers
from loadtest.money import Money, settle, sum_balances

PRODUCT = "product"
PEER = "peer"


@dataclass(slots=True)
class Side:
    """A server under test with its accounts' keys, and what it was sent so far."""

    name: str
    base_url: str
    keys: list[str]
    price: Decimal = Decimal(0)
    before: Decimal = Decimal(0)
    answers_200: int = 0
    unanswered: int = 0
    runs: dict[int, list[Run]] = field(default_factory=dict)
    single: SingleLatency | None = None

    def load(self, accounts: int, bodies: list[str], connections: int, seconds: int) -> Load:
        """A load on the first `accounts` accounts."""
        return Load(self.base_url, self.keys[:accounts], bodies, connections, seconds)

    def open_books(self, body: str) -> None:
        """Note the balances and learn the price of one request."""
        self.before = sum_balances(self.base_url, self.keys)
        url = f"{self.base_url}/v1/predictions"
        answer = httpx.post(url, content=body, headers=make_headers(self.keys[0]))
        answer.raise_for_status()
        self.price = Decimal(answer.json()["credits_charged"])
        self.answers_200 += 1

    def count(self, run: Run) -> None:
        """Add a run's answers to what has to be paid."""
        self.answers_200 += run.answers_200
        self.unanswered += run.unanswered

    def close_books(self) -> Money:
        """What all answers cost beside what left the accounts."""
        return settle(
            self.before,
            self.price * self.answers_200,
            self.price * self.unanswered,
            lambda: sum_balances(self.base_url, self.keys),
        )
