"""What is under way on this replica: one request a charge id, none for longer than its deadline."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

from serve.batcher import Job
from serve.refusals import Code, Refusal


class InFlight:
    """Jobs under way, oldest first, with one timer for the deadline of the oldest.

    A timer for each request would cost more than parsing it. The same charge id again gets 409
    until the first is done.
    """

    def __init__(self, expire: Callable[[Job], None]) -> None:
        self._expire = expire
        self._jobs: dict[uuid.UUID, tuple[Job, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def check(self, charge_id: uuid.UUID) -> None:
        """Raise a Refusal when `charge_id` is under way."""
        if charge_id in self._jobs:
            raise Refusal(
                Code.REQUEST_IN_FLIGHT,
                "A request with this Idempotency-Key is still running; "
                "send this one again when it is done.",
            )

    def enter(self, job: Job, seconds: float) -> None:
        """Hold `job` until it leaves; `expire` it when it has not left after `seconds`.

        Deadlines are met in the order of entering, which is theirs while `seconds` stays the same.
        """
        loop = asyncio.get_running_loop()
        self._jobs[job.charge_id] = (job, loop.time() + seconds)
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._expire_due)

    def leave(self, job: Job) -> None:
        """The job has its outcome, or nobody waits for it any more."""
        self._jobs.pop(job.charge_id, None)

    def _expire_due(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        for job, deadline in list(self._jobs.values()):
            if deadline > now:
                self._timer = loop.call_at(deadline, self._expire_due)
                return
            self.leave(job)
            self._expire(job)
