"""One request a charge id, none for longer than its deadline."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from billing.credits import Credits
from serve.batcher import Job
from serve.in_flight import InFlight
from serve.refusals import Code, Refusal

pytestmark = pytest.mark.anyio


def make_job(number: int) -> Job:
    return Job(
        charge_id=uuid.UUID(int=number),
        account_id=uuid.UUID(int=1),
        key_id="k",
        request_id="r",
        model="m",
        version="1",
        rows=1,
        packed_rows=b"",
        amount=Credits(1),
        body_sha256=b"",
    )


def is_under_way(in_flight: InFlight, job: Job) -> bool:
    try:
        in_flight.check(job.charge_id)
    except Refusal as refusal:
        return refusal.code is Code.REQUEST_IN_FLIGHT
    return False


async def test_a_charge_is_under_way_until_its_job_leaves() -> None:
    in_flight = InFlight(lambda _: None)
    job, other = make_job(1), make_job(2)
    assert not is_under_way(in_flight, job)
    in_flight.enter(job, 60)
    assert is_under_way(in_flight, job)
    assert not is_under_way(in_flight, other)
    in_flight.leave(job)
    assert not is_under_way(in_flight, job)


async def test_what_has_not_left_expires_and_what_has_does_not() -> None:
    expired: asyncio.Queue[Job] = asyncio.Queue()
    in_flight = InFlight(expired.put_nowait)
    jobs = [make_job(number) for number in range(3)]
    for job in jobs:
        in_flight.enter(job, 0.01)
    in_flight.leave(jobs[1])
    assert [await expired.get() for _ in range(2)] == [jobs[0], jobs[2]]
    assert expired.empty()
    assert not any(is_under_way(in_flight, job) for job in jobs)


async def test_who_enters_later_expires_later_and_after_a_pause_the_timer_runs_again() -> None:
    expired: asyncio.Queue[Job] = asyncio.Queue()
    in_flight = InFlight(expired.put_nowait)
    first, second, third = (make_job(number) for number in range(3))
    in_flight.enter(first, 0.01)
    in_flight.enter(second, 0.05)
    assert await expired.get() is first
    assert is_under_way(in_flight, second)
    assert await expired.get() is second
    in_flight.enter(third, 0.01)
    assert await expired.get() is third
