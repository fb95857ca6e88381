"""One micro-batch: predicted in one call, charged in one call, then released."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest

from billing.charges import Charged, InsufficientCredits
from billing.credits import Credits
from billing.errors import LedgerUnavailable
from billing.memory import MemoryLedger
from serve.batch_run import BatchRun
from serve.batcher import Job
from serve.refusals import Code, Refusal
from serve.served_models import ServedModels
from tests.support.fragile_model import NAME, VERSION
from tests.support.serving import ANNA, BORIS, GatedScorer, MemoryCashier, Models, Seen, turns

pytestmark = pytest.mark.anyio

PLAIN, SEND_SMS, POISON = b"\x00", b"\x20", b"\x80"
"""Rows of the fragile model's three features, packed."""


class World:
    """A batch run over real models and a ledger in which Anna has 10 credits."""

    def __init__(self, models: Models) -> None:
        self.ledger = MemoryLedger()
        self.ledger.grant(ANNA, Credits.parse("10"))
        self.scorer = GatedScorer(models.pool)
        self.cashier = MemoryCashier(self.ledger)
        self.seen = Seen()
        self.offered: list[Sequence[Job]] = []
        self.models = ServedModels(models.catalog)
        self.run = BatchRun(self.scorer, self.cashier, self.models, self.seen, self.offered.append)


@pytest.fixture
async def world(models: Models) -> World:
    return World(models)


def make_job(*rows: bytes, account_id: uuid.UUID = ANNA) -> Job:
    return Job(
        charge_id=uuid.uuid4(),
        account_id=account_id,
        key_id="key",
        request_id="request",
        model=NAME,
        version=VERSION,
        rows=len(rows),
        packed_rows=b"".join(rows),
        amount=Credits.parse(str(len(rows))),
        body_sha256=bytes(32),
    )


def labels(job: Job) -> list[str]:
    return [each["label"] for each in json.loads(job.predictions)]


async def test_a_batch_is_one_call_to_the_scorer_and_one_to_billing(world: World) -> None:
    jobs = [make_job(SEND_SMS, PLAIN), make_job(PLAIN), make_job(SEND_SMS)]
    await world.run(jobs)
    assert [labels(job) for job in jobs] == [["malware", "goodware"], ["goodware"], ["malware"]]
    assert world.scorer.rows == [4]
    assert [len(batch) for batch in world.cashier.batches] == [3]
    assert [job.done.result() for job in jobs] == [
        Charged(job.charge_id, Credits.parse(left)) for job, left in zip(jobs, "876", strict=True)
    ]


async def test_a_charge_says_all_of_its_job(world: World) -> None:
    job = make_job(SEND_SMS, PLAIN)
    await world.run([job])
    [[charge]] = world.cashier.batches
    for name in ("charge_id", "account_id", "key_id", "request_id", "model", "version", "amount"):
        assert getattr(charge, name) == getattr(job, name)
    assert (charge.instances, charge.inputs) == (2, SEND_SMS + PLAIN)
    assert (charge.body_sha256, charge.predictions) == (job.body_sha256, job.predictions)


async def test_no_answer_is_released_before_its_charge(world: World) -> None:
    job = make_job(PLAIN)
    world.cashier.gate.clear()
    running = asyncio.create_task(world.run([job]))
    await turns()
    assert job.predictions
    assert not job.done.done()
    world.cashier.gate.set()
    await running
    assert job.done.done()


async def test_a_job_with_a_failed_row_fails_alone_and_names_the_row(world: World) -> None:
    before, bad, after = make_job(PLAIN), make_job(PLAIN, POISON, POISON), make_job(SEND_SMS)
    await world.run([before, bad, after])
    failure = bad.done.exception()
    assert isinstance(failure, Refusal)
    assert failure.code is Code.PREDICTION_FAILED
    assert failure.detail.endswith("failed on: 1, 2.")
    assert (labels(before), labels(after)) == (["goodware"], ["malware"])
    [charges] = world.cashier.batches
    assert [charge.charge_id for charge in charges] == [before.charge_id, after.charge_id]


async def test_a_job_that_cannot_pay_does_not_hold_up_the_others(world: World) -> None:
    broke, paying = make_job(PLAIN, account_id=BORIS), make_job(PLAIN)
    await world.run([broke, paying])
    assert isinstance(broke.done.result(), InsufficientCredits)
    assert isinstance(paying.done.result(), Charged)


async def test_only_what_was_charged_is_counted_as_revenue(world: World) -> None:
    await world.run([make_job(PLAIN, PLAIN), make_job(PLAIN, account_id=BORIS), make_job(POISON)])
    assert world.seen.batches == [(3, 4)]
    assert world.seen.microcredits == [2_000_000]


async def test_a_replay_is_not_counted_as_revenue(world: World) -> None:
    job = make_job(PLAIN)
    await world.run([job])
    await world.run([replace(job, done=asyncio.get_running_loop().create_future())])
    assert world.seen.microcredits == [1_000_000, 0]


async def test_a_failure_of_billing_leaves_the_batch(world: World) -> None:
    world.cashier.failure = LedgerUnavailable("gone")
    job = make_job(PLAIN)
    with pytest.raises(LedgerUnavailable):
        await world.run([job])
    assert not job.done.done()
