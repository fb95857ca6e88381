"""Jobs of many apps: each row is paid once, whatever breaks."""

import asyncio
from decimal import Decimal
from pathlib import Path

import httpx
import numpy as np
import pytest

from frontend.pages.many.jobs import JobNotes, Part, cut_parts
from frontend.pages.many.runner import Order, Run, Stopped
from frontend.server import Problem, SessionEnded, Unreachable
from tests.support.fake_scoring import PRICE, ROW_BYTES, FakeScoring, problem, score

pytestmark = pytest.mark.anyio

ROWS = 5000
PACKED = np.random.default_rng(7).integers(0, 256, (ROWS, ROW_BYTES), dtype=np.uint8)
PARTS = cut_parts(PACKED)
SHA256 = "ab" * 32
PAUSES_SECONDS = (0.001,) * 5


@pytest.fixture
def notes(tmp_path: Path) -> JobNotes:
    return JobNotes(tmp_path / "job.json", "m", "1", "2026-01-01T00:00:00+00:00")


def start(fake: FakeScoring, notes: JobNotes, *, pay_anew: bool = False, at_once: int = 2) -> Run:
    order = Order(SHA256, "m", "1", PARTS, pay_anew=pay_anew)
    return Run(fake.server(), order, notes, at_once=at_once, pauses_seconds=PAUSES_SECONDS)


async def test_every_row_gets_its_own_probability_and_is_charged_once(notes: JobNotes) -> None:
    fake = FakeScoring()
    run = start(fake, notes)
    await run.finish()
    assert np.array_equal(run.probabilities, score(PACKED))
    assert fake.rows_charged == run.progress.rows_done == ROWS
    assert run.progress.paid == ROWS * PRICE
    assert run.progress.rows_fetched == 0
    assert fake.queries == {"model=m&version=1"}


async def test_lost_answers_are_fetched_and_charged_once(notes: JobNotes) -> None:
    def lose(number: int) -> httpx.Response | None:
        return httpx.Response(502) if number % 2 else None

    fake = FakeScoring(after=lose)
    run = start(fake, notes)
    await run.finish()
    assert fake.requests > len(PARTS)
    assert fake.rows_charged == ROWS
    assert run.progress.paid == ROWS * PRICE
    assert run.progress.rows_fetched == 0  # it was this run that paid


async def test_an_answer_cut_short_is_asked_again(notes: JobNotes) -> None:
    fake = FakeScoring(after=lambda number: httpx.Response(200) if number == 1 else None)
    run = start(fake, notes)
    await run.finish()
    assert np.array_equal(run.probabilities, score(PACKED))
    assert fake.rows_charged == ROWS


@pytest.mark.parametrize(
    ("status", "code"), [(409, "request_in_flight"), (429, "queue_full"), (503, "no_scorer")]
)
async def test_a_busy_service_is_asked_again(notes: JobNotes, status: int, code: str) -> None:
    fake = FakeScoring(before=lambda number: problem(status, code) if number < 4 else None)
    await start(fake, notes).finish()
    assert fake.rows_charged == ROWS


async def test_retry_after_is_waited_for(notes: JobNotes) -> None:
    busy = problem(429, "queue_full", **{"retry-after": "1"})
    fake = FakeScoring(before=lambda number: busy if number == 1 else None)
    began = asyncio.get_running_loop().time()
    await start(fake, notes).finish()
    assert asyncio.get_running_loop().time() - began >= 1


async def test_a_service_that_stays_away_ends_the_run_after_bounded_attempts(
    notes: JobNotes,
) -> None:
    fake = FakeScoring(before=lambda _: httpx.Response(502))
    with pytest.raises(Unreachable):
        await start(fake, notes, at_once=1).finish()
    assert fake.requests == len(PAUSES_SECONDS) + 1


async def test_the_next_run_pays_for_the_rest_alone(notes: JobNotes) -> None:
    fake = FakeScoring(
        before=lambda number: problem(401, "unauthenticated") if number > 2 else None
    )
    with pytest.raises(SessionEnded):
        await start(fake, notes).finish()
    paid = fake.rows_charged
    assert 0 < paid < ROWS
    assert notes.due_rows(PARTS)[0] == ROWS - paid

    fake.before = lambda _: None
    run = start(fake, notes)
    await run.finish()
    assert fake.rows_charged == ROWS
    assert run.progress.rows_fetched == paid
    assert run.progress.paid_before == paid * PRICE
    assert np.array_equal(run.probabilities, score(PACKED))


async def test_without_its_notes_a_job_still_pays_nothing_twice(
    notes: JobNotes, tmp_path: Path
) -> None:
    fake = FakeScoring()
    await start(fake, notes).finish()
    run = start(fake, JobNotes(tmp_path / "other.json", "m", "1", notes.began_at))
    await run.finish()
    assert fake.rows_charged == run.progress.rows_fetched == ROWS


async def test_a_run_cancelled_with_answers_on_the_way_pays_nothing_twice(notes: JobNotes) -> None:
    fake = FakeScoring(after=lambda number: httpx.Response(502) if number in {3, 4} else None)
    run = Run(fake.server(), Order(SHA256, "m", "1", PARTS), notes, at_once=2, pauses_seconds=(60,))
    task = asyncio.create_task(run.finish())
    while run.progress.waiting < 2:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    most, sure = notes.due_rows(PARTS)
    assert sure == ROWS - fake.rows_charged < most

    await start(fake, notes).finish()
    assert fake.rows_charged == ROWS


async def test_stop_sends_no_more_and_can_be_gone_on_from(notes: JobNotes) -> None:
    fake = FakeScoring()
    run = start(fake, notes, at_once=1)

    def stop(number: int) -> None:
        if number == 2:
            run.stop()

    fake.after = stop
    with pytest.raises(Stopped):
        await run.finish()
    assert fake.requests == 2
    assert run.progress.rows_done == fake.rows_charged
    await start(fake, notes).finish()
    assert fake.rows_charged == ROWS


async def test_stop_ends_a_pause(notes: JobNotes) -> None:
    fake = FakeScoring(before=lambda _: httpx.Response(502))
    run = Run(fake.server(), Order(SHA256, "m", "1", PARTS), notes, at_once=1, pauses_seconds=(60,))
    task = asyncio.create_task(run.finish())
    while not run.progress.waiting:
        await asyncio.sleep(0.001)
    run.stop()
    with pytest.raises(Stopped):
        await asyncio.wait_for(task, 5)


async def test_without_credits_it_ends_and_keeps_what_was_done(notes: JobNotes) -> None:
    fake = FakeScoring(credits=2048 * PRICE)
    run = start(fake, notes)
    with pytest.raises(Problem, match="insufficient_credits"):
        await run.finish()
    assert run.progress.rows_done == fake.rows_charged == 2048
    assert notes.due_rows(PARTS) == (ROWS - 2048, ROWS - 2048)
    fake.credits = Decimal(ROWS)
    await start(fake, notes).finish()
    assert fake.rows_charged == ROWS


async def test_removed_answers_are_paid_again_only_on_request(notes: JobNotes) -> None:
    fake = FakeScoring()
    await start(fake, notes).finish()
    fake.expired = set(fake.charged)
    with pytest.raises(Problem, match="answer_expired"):
        await start(fake, notes, at_once=1).finish()
    assert fake.rows_charged == ROWS
    assert notes.due_rows(PARTS) == (PARTS[0].rows, PARTS[0].rows)

    await start(fake, notes, pay_anew=True).finish()
    await start(fake, notes, pay_anew=True).finish()  # stored now: not a third time
    assert fake.rows_charged == 2 * ROWS


def test_keys_follow_from_the_file_the_version_and_the_rows() -> None:
    part = PARTS[0]
    key = part.key(SHA256, "m", "1", 0)
    assert key == cut_parts(PACKED.copy())[0].key(SHA256, "m", "1", 0)
    others = [
        part.key("cd" * 32, "m", "1", 0),
        part.key(SHA256, "n", "1", 0),
        part.key(SHA256, "m", "2", 0),
        part.key(SHA256, "m", "1", 1),
        PARTS[1].key(SHA256, "m", "1", 0),
        Part(1, part.start, part.rows, part.body).key(SHA256, "m", "1", 0),
    ]
    assert len({key, *others}) == 7


def test_parts_hold_all_rows_once() -> None:
    assert [part.rows for part in PARTS] == [1024] * 4 + [904]
    assert b"".join(part.body for part in PARTS) == PACKED.tobytes()
