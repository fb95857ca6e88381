"""How often something may be asked: rates in the words of the `limits` library."""

from __future__ import annotations

import math
import time
import uuid
from typing import Annotated

import limits
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import AfterValidator


def _check_rate(text: str) -> str:
    if len(limits.parse_many(text)) != 1:
        raise ValueError("one rate, such as `10 per 15 minutes`")
    return text


Rate = Annotated[str, AfterValidator(_check_rate)]
"""`10 per 15 minutes`, `5/hour`."""


class AccountRate:
    """Counts what each account does in a moving window, in the memory of the replica.

    With n replicas a client gets up to n times the rate, and a restart begins anew. What is kept
    are the moments of one window, for the accounts that did something in it.
    """

    def __init__(self, rate: str) -> None:
        self.text = rate
        self._rate = limits.parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, account_id: uuid.UUID) -> int:
        """0: counted. Else it was once too often, and the seconds until the next may be."""
        owner = str(account_id)
        if self._limiter.hit(self._rate, owner):
            return 0
        reset_time = self._limiter.get_window_stats(self._rate, owner).reset_time
        return max(1, math.ceil(reset_time - time.time()))
