"""Balances seen a moment ago: a broke account is refused before its rows cost anything."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from cachetools import TTLCache

from billing.credits import Credits
from serve.refusals import Code, Refusal

_SEEN_SECONDS = 1.0
_ACCOUNTS_MAX = 20_000


class SeenBalances:
    """The last balance each account was seen with, forgotten after a second.

    Only a hint: what decides is the charge itself. A top-up shows after a second at the latest.
    """

    def __init__(self, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        self._balances: TTLCache[uuid.UUID, Credits] = TTLCache(
            _ACCOUNTS_MAX, _SEEN_SECONDS, timer=clock_seconds
        )

    def saw(self, account_id: uuid.UUID, balance: Credits) -> None:
        """Remember a balance that the ledger reported."""
        self._balances[account_id] = balance

    def check(self, account_id: uuid.UUID, required: Credits) -> None:
        """Raise a Refusal when the account was just seen with less than `required`."""
        seen = self._balances.get(account_id)
        if seen is not None and seen < required:
            raise self.refusal(required, seen)

    @staticmethod
    def refusal(required: Credits, available: Credits) -> Refusal:
        """Not enough credits: what is needed beside what is there."""
        return Refusal(
            Code.INSUFFICIENT_CREDITS,
            f"The request costs {required} credits and the account has {available}. "
            "Nothing was charged; top up and send it again.",
            {"required": str(required), "available": str(available)},
        )
