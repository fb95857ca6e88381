"""Micro-batches: what waits in a replica leaves together, as soon as a slot is free."""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from billing.charges import Outcome
from billing.credits import Credits
from serve.refusals import Code, Refusal
from serve.settings import ValidatorConfig


@dataclass(slots=True, eq=False)
class Job:
    """One admitted request on its way through a micro-batch."""

    charge_id: uuid.UUID
    account_id: uuid.UUID
    key_id: str
    request_id: str
    model: str
    version: str
    rows: int
    packed_rows: bytes
    amount: Credits
    body_sha256: bytes
    explained_features: int = 0
    """Contributions to be told of each instance; 0: it is not explained."""
    predictions: bytes = b""
    """As `keep_predictions` makes them, once the model has answered."""
    done: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def finish(self, outcome: Outcome) -> None:
        """Give the outcome to whoever still waits."""
        if not self.done.done():
            self.done.set_result(outcome)

    def fail(self, error: Exception) -> None:
        """Give the error to whoever still waits."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # a caller that went away leaves nobody to read it


@dataclass(slots=True)
class _Share:
    """What one account has waiting."""

    rows: int = 0
    jobs: int = 0


def queue_full() -> Refusal:
    """What is answered when the replica has as much waiting as it may."""
    return Refusal(Code.QUEUE_FULL, "Too many requests are waiting; send this one again shortly.")


_QueueKey = tuple[str, str, int]


def _queue_key(job: Job) -> _QueueKey:
    """What the jobs of a batch have in common: one call of one model answers them."""
    return job.model, job.version, job.explained_features


RunBatch = Callable[[Sequence[Job]], Awaitable[None]]


class MicroBatcher:
    """Queues jobs by model version and what is asked of it, and hands them on, oldest first.

    An idle replica adds no wait: a job leaves in the next turn of the event loop. A busy one fills
    batches by itself while its slots are taken. `run_batch` finishes each job; what it leaves
    unfinished fails with its exception.
    """

    def __init__(self, run_batch: RunBatch, config: ValidatorConfig) -> None:
        self.config = config
        self._run_batch = run_batch
        self._queues: dict[_QueueKey, deque[Job]] = {}
        self._rows_waiting = 0
        self._jobs_waiting = 0
        self._shares: dict[uuid.UUID, _Share] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._dispatch_due = False

    @property
    def jobs_waiting(self) -> int:
        """Requests that no slot has taken yet."""
        return self._jobs_waiting

    @property
    def is_full(self) -> bool:
        """Whether no request at all would be queued now."""
        config = self.config
        return (
            self._jobs_waiting >= config.queue_requests_max
            or self._rows_waiting >= config.queue_rows_max
        )

    def submit(self, job: Job) -> None:
        """Queue `job`; raises a Refusal when a bound would be passed."""
        self._check_bounds(job)
        self._queues.setdefault(_queue_key(job), deque()).append(job)
        self._count(job, 1)
        self._dispatch_soon()

    def withdraw(self, job: Job) -> bool:
        """Take back a job that no batch has taken; False when it is under way or done."""
        queue = self._queues.get(_queue_key(job))
        if queue is None or job not in queue:
            return False
        queue.remove(job)
        self._forget_if_empty(job)
        self._count(job, -1)
        return True

    async def close(self) -> None:
        """Wait for the batches under way; nothing new leaves once the queues are empty."""
        while self._tasks or self._jobs_waiting:
            await asyncio.sleep(0)
            if self._tasks:
                await asyncio.wait(self._tasks)

    def _check_bounds(self, job: Job) -> None:
        config = self.config
        if (
            self._rows_waiting + job.rows > config.queue_rows_max
            or self._jobs_waiting >= config.queue_requests_max
        ):
            raise queue_full()
        share = self._shares.get(job.account_id)
        if share is not None and (
            share.rows + job.rows > config.account_queue_rows_max
            or share.jobs >= config.account_queue_requests_max
        ):
            raise Refusal(
                Code.ACCOUNT_QUEUE_FULL,
                "This account has its share of the queue waiting; send this request again "
                "when earlier ones are answered.",
            )

    def _count(self, job: Job, sign: int) -> None:
        rows = sign * job.rows
        self._rows_waiting += rows
        self._jobs_waiting += sign
        share = self._shares.get(job.account_id)
        if share is None:
            share = self._shares[job.account_id] = _Share()
        share.rows += rows
        share.jobs += sign
        if not share.jobs:
            del self._shares[job.account_id]

    def _dispatch_soon(self) -> None:
        """Once at the end of this turn of the loop: requests read in one turn leave together."""
        if not self._dispatch_due:
            self._dispatch_due = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        """Start batches while slots are free.

        Each in a context of its own: in that of the request that happened to come first, Ray would
        cancel the whole batch when that one client goes away.
        """
        self._dispatch_due = False
        while self._jobs_waiting and len(self._tasks) < self.config.slots:
            task = asyncio.get_running_loop().create_task(
                self._run(self._cut_batch()), context=contextvars.Context()
            )
            self._tasks.add(task)
            task.add_done_callback(self._release_slot)

    def _release_slot(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._dispatch()

    def _cut_batch(self) -> list[Job]:
        """Jobs of one queue, the one waiting longest, up to as many rows as a batch may hold.

        A queue that was served goes behind the others, so no model version waits for ever.
        """
        key, queue = next(iter(self._queues.items()))
        config = self.config
        rows_max = config.explained_batch_rows_max if key[2] else config.batch_rows_max
        batch: list[Job] = []
        rows = 0
        while queue and (not batch or rows + queue[0].rows <= rows_max):
            job = queue.popleft()
            rows += job.rows
            batch.append(job)
            self._count(job, -1)
        del self._queues[key]
        if queue:
            self._queues[key] = queue
        return batch

    def _forget_if_empty(self, job: Job) -> None:
        if not self._queues[_queue_key(job)]:
            del self._queues[_queue_key(job)]

    async def _run(self, batch: Sequence[Job]) -> None:
        try:
            await self._run_batch(batch)
        except Exception as error:  # noqa: BLE001 - each job carries it to its own caller
            for job in batch:
                job.fail(error)
