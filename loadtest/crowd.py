"""What all users of one process share: their accounts' keys, the model, and the tally."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from loadtest.tally import Tally

MODEL = "android-malware"
HTTP_TIMEOUT_SECONDS = 10


@dataclass(slots=True)
class Crowd:
    """Filled before the first user starts: from a file, or by the master's message."""

    paying: list[str] = field(default_factory=list)
    """Keys of accounts that score; users share one, as a customer's machines do."""
    careless: list[str] = field(default_factory=list)
    """Keys of accounts that only ever send bad input, so that nothing may be charged to them."""
    features: list[str] = field(default_factory=list)
    price: Decimal = Decimal(0)
    """Credits for one instance."""
    tally: Tally = field(default_factory=Tally)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def join(self, keys: dict[str, list[str]], base_url: str) -> None:
        """Take these keys, and the model's features and price from the server."""
        self.paying, self.careless = keys["paying"], keys["careless"]
        model = fetch_model(base_url)
        self.features = list(model["features"])
        self.price = Decimal(model["price_per_instance"])

    def key_for(self, number: int) -> str:
        """The key of this process's user of such a number."""
        return self.paying[number % len(self.paying)]

    def careless_key_for(self, number: int) -> str:
        """The same for a user that sends bad input."""
        return self.careless[number % len(self.careless)]


def share_of(keys: Sequence[str], index: int, processes: int) -> list[str]:
    """The keys of one of so many processes: no other gets them while there are enough."""
    return list(keys[index::processes]) or [keys[index % len(keys)]]


def fetch_model(base_url: str) -> dict[str, Any]:
    """What the server says of the model that is asked."""
    answer = httpx.get(f"{base_url}/v1/models", timeout=HTTP_TIMEOUT_SECONDS)
    models = answer.raise_for_status().json()["models"]
    found: dict[str, Any] = next(
        model for model in models if model["name"] == MODEL and model["default"]
    )
    return found


crowd = Crowd()
"""Of this process."""
