"""What was seen a moment ago: who is short of credits is refused before the rows cost anything."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Generic, TypeVar

from billing.credits import Credits
from serve.bounded import BoundedDict
from serve.refusals import Code, Refusal

_SEEN_SECONDS = 1.0
_SEEN_MAX = 20_000

Owner = TypeVar("Owner")


class _Seen(Generic[Owner]):
    """The last amount each owner was seen with, forgotten after a second.

    Only a hint: what decides is the charge itself. More shows after a second at the latest.
    """

    def __init__(self, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        self._clock_seconds = clock_seconds
        self._seen: BoundedDict[Owner, tuple[Credits, float]] = BoundedDict(_SEEN_MAX)

    def saw(self, owner: Owner, left: Credits) -> None:
        """Remember an amount that the ledger reported."""
        self._seen[owner] = (left, self._clock_seconds())

    def check(self, owner: Owner, required: Credits) -> None:
        """Raise a Refusal when the owner was just seen with less than `required`."""
        seen = self._seen.get(owner)
        if seen is None or seen[0] >= required:
            return
        left, seen_at = seen
        if self._clock_seconds() - seen_at < _SEEN_SECONDS:
            raise self.refusal(required, left)

    @staticmethod
    def refusal(required: Credits, left: Credits) -> Refusal:
        """What is needed beside what is there."""
        raise NotImplementedError


class SeenBalances(_Seen[uuid.UUID]):
    """Of accounts; a top-up shows after a second at the latest."""

    @staticmethod
    def refusal(required: Credits, left: Credits) -> Refusal:
        """Not enough credits."""
        return Refusal(
            Code.INSUFFICIENT_CREDITS,
            f"The request costs {required} credits and the account has {left}. "
            "Nothing was charged; top up and send it again.",
            {"required": str(required), "available": str(left)},
        )


class SeenCaps(_Seen[str]):
    """Of capped keys; a cap that was raised shows after a second at the latest."""

    @staticmethod
    def refusal(required: Credits, left: Credits) -> Refusal:
        """The key may not spend so much."""
        return Refusal(
            Code.SPENDING_CAP_REACHED,
            f"The request costs {required} credits and this key's spending cap leaves {left}. "
            "Nothing was charged; use another key or raise the cap.",
            {"required": str(required), "left": str(left)},
        )
