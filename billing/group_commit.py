"""Group commit: charges that arrive while a transaction is under way share the next one."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from billing.charges import Charge, Outcome
from billing.errors import LedgerBusy, LedgerUnavailable, OutcomeUnknown
from billing.ports import Ledger

Observe = Callable[[int, float], None]
"""Told of each transaction: how many charges it held, how many seconds it took."""

_BACKOFF_FIRST_SECONDS = 0.02
_BACKOFF_MAX_SECONDS = 0.5


def _observe_nothing(_charges: int, _seconds: float) -> None:
    pass


@dataclass(slots=True, eq=False)
class _Waiting:
    """One caller's charges."""

    charges: Sequence[Charge]
    deadline: float
    """By the event loop's clock."""
    outcomes: asyncio.Future[list[Outcome]] = field(default_factory=asyncio.Future)
    is_unknown: bool = False
    """Whether some attempt may have committed them."""


class GroupCommit:
    """Merges its callers' charges; one transaction is under way at a time.

    A caller's own batch is never cut: one larger than `transaction_charges_max` commits alone.
    Made and used inside one event loop; `close` ends it.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        transaction_charges_max: int,
        waiting_charges_max: int,
        charge_deadline_seconds: float,
        observe: Observe = _observe_nothing,
    ) -> None:
        self._ledger = ledger
        self._transaction_charges_max = transaction_charges_max
        self._waiting_charges_max = waiting_charges_max
        self._charge_deadline_seconds = charge_deadline_seconds
        self._observe = observe
        self._queue: deque[_Waiting] = deque()
        self._waiting_charges = 0
        self._worker: asyncio.Task[None] | None = None
        self._is_closed = False

    def set_bounds(self, *, transaction_charges_max: int, waiting_charges_max: int) -> None:
        """Take new bounds while it works; what waits already is kept."""
        self._transaction_charges_max = transaction_charges_max
        self._waiting_charges_max = waiting_charges_max

    @property
    def waiting_charges(self) -> int:
        """Charges that wait for a transaction; those in the one under way are not counted."""
        return self._waiting_charges

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """Outcomes in the order given, after the commit.

        Raises LedgerBusy at once when too many wait, and when the deadline has passed
        OutcomeUnknown if any attempt may have committed, else LedgerUnavailable.
        """
        if not charges:
            return []
        waiting = self._enqueue(charges)
        try:
            async with asyncio.timeout_at(waiting.deadline):
                return await waiting.outcomes
        except TimeoutError as error:
            if waiting.is_unknown:
                raise OutcomeUnknown("the deadline passed before the commit was known") from error
            raise LedgerUnavailable("the deadline passed before a commit") from error
        finally:
            waiting.outcomes.cancel()

    async def close(self) -> None:
        """Take no more charges; return when those that wait are committed or given up."""
        self._is_closed = True
        if self._worker is not None:
            await self._worker

    def _enqueue(self, charges: Sequence[Charge]) -> _Waiting:
        if self._is_closed:
            raise LedgerUnavailable("shutting down")
        if self._waiting_charges + len(charges) > self._waiting_charges_max:
            raise LedgerBusy(f"{self._waiting_charges} charges are waiting")
        deadline = asyncio.get_running_loop().time() + self._charge_deadline_seconds
        waiting = _Waiting(charges, deadline)
        self._queue.append(waiting)
        self._waiting_charges += len(charges)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="group commit")
        return waiting

    async def _work(self) -> None:
        """Lives as long as charges wait; held by `_worker`, awaited by `close`."""
        while batch := self._take_batch():
            try:
                await self._commit(batch)
            except Exception as error:  # noqa: BLE001  # every caller hears of it
                for waiting in _still_wanted(batch):
                    waiting.outcomes.set_exception(error)

    def _take_batch(self) -> list[_Waiting]:
        """The callers next in line, as many as fit; those that went away are dropped."""
        batch: list[_Waiting] = []
        room = self._transaction_charges_max
        while self._queue and (not batch or len(self._queue[0].charges) <= room):
            waiting = self._queue.popleft()
            self._waiting_charges -= len(waiting.charges)
            if not waiting.outcomes.done():
                batch.append(waiting)
                room -= len(waiting.charges)
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        """Try until the outcome is known or nobody waits for it any more."""
        backoff_seconds = _BACKOFF_FIRST_SECONDS
        while batch := _still_wanted(batch):
            outcomes = await self._attempt(batch)
            if outcomes is not None:
                _hand_out(outcomes, batch)
                return
            await asyncio.sleep(backoff_seconds * (0.5 + random.random() / 2))  # noqa: S311
            backoff_seconds = min(2 * backoff_seconds, _BACKOFF_MAX_SECONDS)

    async def _attempt(self, batch: list[_Waiting]) -> list[Outcome] | None:
        """None: nothing is known to be committed. A caller that leaves meanwhile cannot know."""
        unknown_before = [waiting.is_unknown for waiting in batch]
        for waiting in batch:
            waiting.is_unknown = True
        charges = [charge for waiting in batch for charge in waiting.charges]
        started = time.monotonic()
        try:
            async with asyncio.timeout_at(max(waiting.deadline for waiting in batch)):
                outcomes = await self._ledger.charge(charges)
        except LedgerUnavailable:
            for waiting, is_unknown in zip(batch, unknown_before, strict=True):
                waiting.is_unknown = is_unknown
            return None
        except (OutcomeUnknown, TimeoutError):
            return None
        self._observe(len(charges), time.monotonic() - started)
        return outcomes


def _still_wanted(batch: list[_Waiting]) -> list[_Waiting]:
    return [waiting for waiting in batch if not waiting.outcomes.done()]


def _hand_out(outcomes: list[Outcome], batch: list[_Waiting]) -> None:
    start = 0
    for waiting in batch:
        end = start + len(waiting.charges)
        if not waiting.outcomes.done():
            waiting.outcomes.set_result(outcomes[start:end])
        start = end
