"""What users saw goes from process to process without a loss."""

import json
from decimal import Decimal
from pathlib import Path

from loadtest.tally import KEPT_MAX, Failure, Tally, from_plain, read_tally

FAILURE = Failure(12.5, "dense", "status 503")


def make_tally() -> Tally:
    return Tally(
        answers_200=3,
        instances=5,
        charged=Decimal("2.5"),
        unknown_requests=1,
        unknown=Decimal(1),
        replays=2,
        wrong=["no id"],
        failures=[FAILURE],
    )


def test_a_tally_is_read_as_it_was_written(tmp_path: Path) -> None:
    make_tally().write(tmp_path / "tally.json")
    assert read_tally(tmp_path / "tally.json") == make_tally()


def test_what_was_drained_is_plain_and_is_not_counted_twice() -> None:
    tally = make_tally()
    first, second = (json.loads(json.dumps(tally.drain())) for _ in range(2))
    assert from_plain(first) == make_tally()
    assert from_plain(second) == Tally()


def test_two_processes_add_up() -> None:
    total = make_tally()
    total.add(make_tally())
    assert (total.answers_200, total.charged) == (6, Decimal("5.0"))
    assert total.failures == [FAILURE, FAILURE]


def test_one_saturated_process_is_enough_to_say_so() -> None:
    total = Tally()
    total.add(Tally(generator_saturated=True))
    total.add(Tally())
    assert total.generator_saturated is True


def test_failures_are_kept_up_to_a_bound() -> None:
    tally = Tally()
    for _ in range(KEPT_MAX + 1):
        tally.record_failure(FAILURE)
        tally.record_wrong("no id")
    tally.add(make_tally())
    assert len(tally.failures) == len(tally.wrong) == KEPT_MAX
