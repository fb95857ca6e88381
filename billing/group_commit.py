"""Group commit: batches that arrive while a transaction is under way share the next one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from billing.charges import Charge, Outcome
from billing.errors import BillingError, LedgerBusy, LedgerUnavailable, OutcomeUnknown
from billing.ports import Ledger
from billing.settings import BillingSettings

_RETRY_SECONDS_MIN = 0.05
_RETRY_SECONDS_MAX = 1.0

ObserveTransaction = Callable[[int, float], None]
"""Called after each transaction with its number of charges and its seconds."""


@dataclass(slots=True, eq=False)
class _Batch:
    charges: Sequence[Charge]
    deadline: float
    done: asyncio.Future[list[Outcome]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class GroupCommit:
    """One transaction under way at a time, with everybody's charges in it.

    A caller that is cancelled leaves its charges in: they may be committed already. When the ledger
    is lost in the middle, the same charges are sent again until their outcome is known or the
    deadline passes; a failure is never assumed.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: BillingSettings,
        observe: ObserveTransaction = lambda _charges, _seconds: None,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._observe = observe
        self._waiting: deque[_Batch] = deque()
        self._charges_waiting = 0
        self._worker: asyncio.Task[None] | None = None

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """Outcomes in the order given.

        Raises LedgerBusy when too many wait, LedgerUnavailable when nothing was committed, and
        OutcomeUnknown when that could not be told before the deadline.
        """
        if self._charges_waiting + len(charges) > self._settings.waiting_charges_max:
            raise LedgerBusy("too many charges wait for the ledger")
        batch = _Batch(charges, time.monotonic() + self._settings.charge_deadline_seconds)
        self._waiting.append(batch)
        self._charges_waiting += len(charges)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await asyncio.shield(batch.done)

    async def close(self) -> None:
        """Wait until all that waits is settled."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        """Transactions, one after another, until nothing waits."""
        while self._waiting:
            batches = self._take()
            try:
                await self._settle(batches)
            except Exception as error:  # noqa: BLE001 - handed to every caller of the transaction
                for batch in batches:
                    _fail(batch, error)

    def _take(self) -> list[_Batch]:
        """As many whole batches as one transaction takes; one at least."""
        batches: list[_Batch] = []
        charges = 0
        while self._waiting and (
            not batches
            or charges + len(self._waiting[0].charges) <= self._settings.transaction_charges_max
        ):
            batch = self._waiting.popleft()
            charges += len(batch.charges)
            batches.append(batch)
        self._charges_waiting -= charges
        return batches

    async def _settle(self, batches: Sequence[_Batch]) -> None:
        charges = [charge for batch in batches for charge in batch.charges]
        started = time.monotonic()
        outcomes = await self._until_known(charges, min(batch.deadline for batch in batches))
        self._observe(len(charges), time.monotonic() - started)
        start = 0
        for batch in batches:
            end = start + len(batch.charges)
            if not batch.done.done():
                batch.done.set_result(outcomes[start:end])
            start = end

    async def _until_known(self, charges: Sequence[Charge], deadline: float) -> list[Outcome]:
        """Send the charges, again with the same ids as long as it is not known how they ended."""
        unknown = False
        pause = _RETRY_SECONDS_MIN
        while True:
            try:
                return await self._ledger.charge(charges)
            except (LedgerUnavailable, OutcomeUnknown) as error:
                unknown |= isinstance(error, OutcomeUnknown)
                if time.monotonic() + pause > deadline:
                    raise _last_word(error, unknown=unknown) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, _RETRY_SECONDS_MAX)


def _last_word(error: BillingError, *, unknown: bool) -> BillingError:
    """Once an outcome was unknown, a later "unavailable" does not make it known."""
    return OutcomeUnknown(*error.args) if unknown else error


def _fail(batch: _Batch, error: Exception) -> None:
    if not batch.done.done():
        batch.done.set_exception(error)
        batch.done.exception()  # a caller that went away leaves nobody to read it
