"""Asks the controller for many askers at once, and for no longer than one may wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from serve.accounts.replicas.values import (
    ApplicationState,
    ControllerUnavailable,
    ReadApplications,
)
from serve.refusals import Code, Refusal

FRESH_SECONDS = 2.0
"""An answer is given again for so long: open pages ask over and over."""

TIMEOUT_SECONDS = 5.0
"""A controller that does its work answers in milliseconds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How the applications stood."""

    at: datetime
    applications: Sequence[ApplicationState]


class ReplicaWatch:
    """One question to the controller is under way at most, whoever asks and gives up."""

    def __init__(
        self,
        read: ReadApplications,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._seen: Seen | None = None
        self._stale_at = 0.0
        self._reading: asyncio.Task[Seen] | None = None

    async def fetch(self) -> Seen:
        """A Refusal with CONTROLLER_UNAVAILABLE where the controller does not tell in time."""
        if self._seen is not None and self._clock() < self._stale_at:
            return self._seen
        if self._reading is None:
            self._reading = asyncio.create_task(self._look())
            self._reading.add_done_callback(self._forget)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                # A thread cannot be ended: the next asker waits for the same one.
                return await asyncio.shield(self._reading)
        except (TimeoutError, ControllerUnavailable) as error:
            raise Refusal(
                Code.CONTROLLER_UNAVAILABLE,
                "The cluster's controller does not say how replicas stand; ask again shortly. "
                "Scoring goes on without it.",
            ) from error

    async def _look(self) -> Seen:
        applications = await asyncio.to_thread(self._read)
        self._seen = Seen(datetime.now(UTC), applications)
        self._stale_at = self._clock() + FRESH_SECONDS
        return self._seen

    def _forget(self, reading: asyncio.Task[Seen]) -> None:
        self._reading = None
        if not reading.cancelled():
            reading.exception()  # whoever asked has heard of it, or has gone
