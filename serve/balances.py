"""Balances seen a moment ago: a broke account is refused before its rows cost anything."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from billing.credits import Credits
from serve.bounded import BoundedDict
from serve.refusals import Code, Refusal

_SEEN_SECONDS = 1.0
_ACCOUNTS_MAX = 20_000


class SeenBalances:
    """The last balance each account was seen with, forgotten after a second.

    Only a hint: what decides is the charge itself. A top-up shows after a second at the latest.
    """

    def __init__(self, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        self._clock_seconds = clock_seconds
        self._seen: BoundedDict[uuid.UUID, tuple[Credits, float]] = BoundedDict(_ACCOUNTS_MAX)

    def saw(self, account_id: uuid.UUID, balance: Credits) -> None:
        """Remember a balance that the ledger reported."""
        self._seen[account_id] = (balance, self._clock_seconds())

    def check(self, account_id: uuid.UUID, required: Credits) -> None:
        """Raise a Refusal when the account was just seen with less than `required`."""
        seen = self._seen.get(account_id)
        if seen is None or seen[0] >= required:
            return
        balance, seen_at = seen
        if self._clock_seconds() - seen_at < _SEEN_SECONDS:
            raise self.refusal(required, balance)

    @staticmethod
    def refusal(required: Credits, available: Credits) -> Refusal:
        """Not enough credits: what is needed beside what is there."""
        return Refusal(
            Code.INSUFFICIENT_CREDITS,
            f"The request costs {required} credits and the account has {available}. "
            "Nothing was charged; top up and send it again.",
            {"required": str(required), "available": str(available)},
        )
