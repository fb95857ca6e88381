"""Micro-batches: when they leave, what they hold, and what is refused."""

import asyncio
import contextvars
import uuid
from collections.abc import Awaitable, Callable, Sequence

import pytest

from billing.charges import Charged, Outcome
from billing.credits import Credits
from serve.batcher import Job, MicroBatcher
from serve.refusals import Code, Refusal
from serve.settings import ValidatorConfig

ANNA = uuid.UUID(int=1)
BORIS = uuid.UUID(int=2)


class Gate:
    """A `run_batch` that holds every batch until it is opened."""

    def __init__(self) -> None:
        self.batches: list[list[Job]] = []
        self.open = asyncio.Event()

    async def __call__(self, jobs: Sequence[Job]) -> None:
        self.batches.append(list(jobs))
        await self.open.wait()
        for job in jobs:
            job.finish(Charged(job.charge_id, Credits(0)))

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


def job(
    rows: int = 1, account: uuid.UUID = ANNA, model: str = "m", explained_features: int = 0
) -> Job:
    return Job(
        charge_id=uuid.uuid4(),
        account_id=account,
        key_id="k",
        request_id="r",
        model=model,
        version="1",
        rows=rows,
        packed_rows=b"\0" * rows,
        amount=Credits(1),
        body_sha256=b"",
        explained_features=explained_features,
    )


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await story()

    asyncio.run(bounded())


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def refusal_code(batcher: MicroBatcher, refused: Job) -> Code:
    with pytest.raises(Refusal) as caught:
        batcher.submit(refused)
    return caught.value.code


def test_an_idle_batcher_sends_a_job_in_the_next_turn_of_the_loop() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(gate, ValidatorConfig())
        batcher.submit(job())
        await turns(2)
        assert gate.sizes == [1]
        gate.open.set()
        await batcher.close()

    run(story)


def test_jobs_of_one_turn_leave_together() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(gate, ValidatorConfig())
        for _ in range(5):
            batcher.submit(job())
        await turns()
        assert gate.sizes == [5]
        gate.open.set()
        await batcher.close()

    run(story)


def test_while_the_slot_is_taken_jobs_gather_into_the_next_batch() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(gate, ValidatorConfig(slots=1))
        batcher.submit(job())
        await turns()
        for _ in range(7):
            batcher.submit(job())
            await turns()
        assert gate.sizes == [1]
        gate.open.set()
        await batcher.close()
        assert gate.sizes == [1, 7]

    run(story)


def test_a_batch_holds_rows_up_to_the_bound_and_never_splits_a_job() -> None:
    async def story() -> None:
        gate = Gate()
        gate.open.set()
        batcher = MicroBatcher(gate, ValidatorConfig(batch_rows_max=1024))
        for rows in (600, 400, 600, 1024, 1):
            batcher.submit(job(rows))
        await turns()
        await batcher.close()
        assert [[each.rows for each in batch] for batch in gate.batches] == [
            [600, 400],
            [600],
            [1024],
            [1],
        ]

    run(story)


def test_a_batch_holds_one_model_version_and_each_gets_its_turn() -> None:
    async def story() -> None:
        gate = Gate()
        gate.open.set()
        batcher = MicroBatcher(gate, ValidatorConfig(batch_rows_max=1024))
        for model in "aab":
            batcher.submit(job(600, model=model))
        await turns()
        await batcher.close()
        assert [[each.model for each in batch] for batch in gate.batches] == [["a"], ["b"], ["a"]]

    run(story)


def test_more_slots_run_more_batches_at_a_time() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(gate, ValidatorConfig(slots=2))
        for _ in range(4):
            batcher.submit(job())
            await turns()
        assert gate.sizes == [1, 1]
        gate.open.set()
        await batcher.close()

    run(story)


def test_a_full_queue_refuses_in_rows_and_in_requests() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(gate, ValidatorConfig(queue_rows_max=2048, queue_requests_max=3))
        batcher.submit(job())
        await turns()  # under way: no longer counted
        batcher.submit(job(1024, ANNA))
        batcher.submit(job(1024, BORIS))
        assert refusal_code(batcher, job(1, BORIS)) is Code.QUEUE_FULL
        gate.open.set()
        await batcher.close()
        gate.open.clear()
        batcher.submit(job())
        await turns()
        for _ in range(3):
            batcher.submit(job())
        assert refusal_code(batcher, job()) is Code.QUEUE_FULL
        gate.open.set()
        await batcher.close()

    run(story)


def test_one_account_cannot_take_the_share_of_others() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(
            gate, ValidatorConfig(account_queue_rows_max=1024, account_queue_requests_max=2)
        )
        batcher.submit(job())
        await turns()
        batcher.submit(job(1000, ANNA))
        assert refusal_code(batcher, job(25, ANNA)) is Code.ACCOUNT_QUEUE_FULL
        batcher.submit(job(1, ANNA))
        assert refusal_code(batcher, job(1, ANNA)) is Code.ACCOUNT_QUEUE_FULL
        batcher.submit(job(25, BORIS))
        gate.open.set()
        await batcher.close()

    run(story)


def test_room_in_the_queue_comes_back_when_a_batch_leaves() -> None:
    async def story() -> None:
        gate = Gate()
        gate.open.set()
        batcher = MicroBatcher(gate, ValidatorConfig(queue_requests_max=1))
        for _ in range(10):
            batcher.submit(job())
            await turns(10)
        await batcher.close()
        assert sum(gate.sizes) == 10

    run(story)


def test_a_waiting_job_can_be_withdrawn_and_one_under_way_cannot() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(gate, ValidatorConfig(queue_requests_max=1))
        under_way, waiting = job(), job()
        batcher.submit(under_way)
        await turns()
        batcher.submit(waiting)
        assert not batcher.withdraw(under_way)
        assert batcher.withdraw(waiting)
        assert not batcher.withdraw(waiting)
        batcher.submit(job())  # its room is free again
        gate.open.set()
        await batcher.close()
        assert waiting not in [each for batch in gate.batches for each in batch]

    run(story)


def test_a_batch_that_fails_fails_each_of_its_jobs_and_frees_the_slot() -> None:
    async def story() -> None:
        failures = iter([RuntimeError("lost"), None])

        async def run_batch(jobs: Sequence[Job]) -> None:
            failure = next(failures)
            if failure:
                raise failure
            for each in jobs:
                each.finish(Charged(each.charge_id, Credits(0)))

        batcher = MicroBatcher(run_batch, ValidatorConfig())
        first, second, third = job(), job(), job()
        batcher.submit(first)
        batcher.submit(second)
        for failed in (first, second):
            with pytest.raises(RuntimeError, match="lost"):
                await failed.done
        batcher.submit(third)
        assert isinstance(await third.done, Charged)
        await batcher.close()

    run(story)


def test_a_batch_does_not_run_in_the_context_of_the_request_that_came_first() -> None:
    """Ray cancels the calls of a request's context when its client goes away."""
    request = contextvars.ContextVar("request", default="none")

    async def story() -> None:
        seen: list[str] = []

        async def run_batch(jobs: Sequence[Job]) -> None:
            seen.append(request.get())
            for each in jobs:
                each.finish(Charged(each.charge_id, Credits(0)))

        batcher = MicroBatcher(run_batch, ValidatorConfig())
        request.set("the first client")
        only = job()
        batcher.submit(only)
        outcome: Outcome = await only.done
        assert isinstance(outcome, Charged)
        assert seen == ["none"]
        await batcher.close()

    run(story)


def test_bounds_can_change_while_jobs_wait() -> None:
    async def story() -> None:
        gate = Gate()
        batcher = MicroBatcher(gate, ValidatorConfig(queue_requests_max=1))
        batcher.submit(job())
        await turns()
        batcher.submit(job())
        assert refusal_code(batcher, job()) is Code.QUEUE_FULL
        batcher.config = ValidatorConfig(queue_requests_max=2)
        batcher.submit(job())
        gate.open.set()
        await batcher.close()

    run(story)


def test_what_is_asked_of_the_model_parts_batches_and_each_gets_its_turn() -> None:
    async def story() -> None:
        gate = Gate()
        gate.open.set()
        batcher = MicroBatcher(gate, ValidatorConfig())
        for features in (0, 10, 0, 10, 3):
            batcher.submit(job(explained_features=features))
        await batcher.close()
        found = [[each.explained_features for each in batch] for batch in gate.batches]
        assert found == [[0, 0], [10, 10], [3]]

    run(story)


def test_explained_rows_have_a_smaller_bound_and_one_large_job_goes_alone() -> None:
    async def story() -> None:
        gate = Gate()
        gate.open.set()
        batcher = MicroBatcher(gate, ValidatorConfig(explained_batch_rows_max=64))
        for rows in (40, 24, 1, 100, 1):
            batcher.submit(job(rows, explained_features=10))
        for rows in (40, 24, 1, 100, 1):
            batcher.submit(job(rows))
        await batcher.close()
        explained, plain = [], []
        for batch in gate.batches:
            sizes = explained if batch[0].explained_features else plain
            sizes.append([each.rows for each in batch])
        assert explained == [[40, 24], [1], [100], [1]]
        assert plain == [[40, 24, 1, 100, 1]]

    run(story)


def test_a_waiting_explained_job_can_be_taken_back() -> None:
    async def story() -> None:
        batcher = MicroBatcher(Gate(), ValidatorConfig())
        waiting = job(explained_features=10)
        batcher.submit(waiting)
        assert batcher.withdraw(waiting)
        assert batcher.jobs_waiting == 0
        assert not batcher.withdraw(waiting)

    run(story)
