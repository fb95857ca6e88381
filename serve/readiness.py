"""Whether a request would be answered now: the ledger, the models and billing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from billing.errors import BillingError
from serve.ports import Cashier, Scorer
from serve.refusals import Refusal
from serve.translation import refusal_of

_CHECK_SECONDS = 1.0


class Readiness:
    """Asks the deployments behind this replica, at most once a second."""

    def __init__(
        self, scorer: Scorer, cashier: Cashier, clock_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._scorer = scorer
        self._cashier = cashier
        self._clock_seconds = clock_seconds
        self._checked_at = float("-inf")
        self._refusal: Refusal | None = None
        self._one_at_a_time = asyncio.Lock()

    async def check(self) -> None:
        """Return when ready; raises a Refusal that says what is missing."""
        async with self._one_at_a_time:
            if self._clock_seconds() - self._checked_at >= _CHECK_SECONDS:
                self._refusal = await self._ask()
                self._checked_at = self._clock_seconds()
        if self._refusal is not None:
            raise Refusal(self._refusal.code, self._refusal.detail)

    async def _ask(self) -> Refusal | None:
        try:
            await asyncio.gather(self._scorer.ready(), self._cashier.ready())
        except Refusal as refusal:
            return refusal
        except BillingError as error:
            return refusal_of(error)
        return None
