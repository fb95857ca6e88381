"""Whether what was charged is what was answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

import httpx

HTTP_TIMEOUT_SECONDS = 10
SETTLE_SECONDS = 5
POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Money:
    """Credits that left the accounts, beside the credits of all answers with status 200.

    `unknown` is the price of requests that were sent and never answered: each may have been
    charged, so without them the two must be equal.
    """

    charged: Decimal
    answered: Decimal
    unknown: Decimal = Decimal(0)

    @property
    def agrees(self) -> bool:
        """Nothing charged that was not answered, nothing answered that was not charged."""
        return self.answered <= self.charged <= self.answered + self.unknown

    def __str__(self) -> str:
        doubt = f", {self.unknown} in requests without an answer" if self.unknown else ""
        return f"{self.charged} credits charged, {self.answered} answered{doubt}"


def fetch_balances(base_url: str, keys: list[str]) -> list[Decimal | None]:
    """Each key's balance in credits; None for a key that the server refuses."""
    with httpx.Client(base_url=base_url, timeout=HTTP_TIMEOUT_SECONDS) as client:
        return [_fetch_balance(client, key) for key in keys]


def sum_balances(base_url: str, keys: list[str]) -> Decimal:
    """Credits of all `keys` together; raises ValueError where one is refused."""
    balances = fetch_balances(base_url, keys)
    known = [balance for balance in balances if balance is not None]
    if len(known) != len(keys):
        raise ValueError(f"{len(keys) - len(known)} of {len(keys)} keys are refused by {base_url}")
    return sum(known, Decimal(0))


def settle(
    before: Decimal, answered: Decimal, unknown: Decimal, read: Callable[[], Decimal]
) -> Money:
    """Read the balances until they agree; what still disagrees after a few seconds is wrong."""
    deadline = time.monotonic() + SETTLE_SECONDS
    money = Money(before - read(), answered, unknown)
    while not money.agrees and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        money = Money(before - read(), answered, unknown)
    return money


def _fetch_balance(client: httpx.Client, key: str) -> Decimal | None:
    answer = client.get("/v1/account", headers={"Authorization": f"Bearer {key}"})
    if answer.status_code != HTTPStatus.OK:
        return None
    return Decimal(answer.json()["credits_balance"])
