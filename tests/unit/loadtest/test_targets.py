"""Targets of the load test."""

from decimal import Decimal
from pathlib import Path

import pytest

from loadtest.load import HERE, money_misses
from loadtest.money import Money
from loadtest.tally import Tally, read_tally
from loadtest.targets import Targets, missed, read_targets

TARGETS = Targets(requests_per_second_min=100, p95_ms_max=200, p99_ms_max=500, error_share_max=0.01)


def make_tally() -> Tally:
    """A run that keeps every target just so."""
    return Tally(
        requests=1000, failures=10, requests_per_second=100, p95_ms=200, p99_ms=500, replays=1
    )


def test_values_on_the_bounds_are_good() -> None:
    assert missed(TARGETS, make_tally()) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("requests_per_second", 99, "requests/s: 99, the target is 100"),
        ("p95_ms", 201, "p95 ms: 201, the target is 200"),
        ("p99_ms", 501, "p99 ms: 501, the target is 500"),
        ("failures", 11, "error share: 0.011, the target is 0.01"),
        ("wrong", ["no id"], "1 wrong answers, such as: no id"),
    ],
)
def test_each_miss_is_said_alone(name: str, value: object, words: str) -> None:
    tally = make_tally()
    setattr(tally, name, value)
    assert missed(TARGETS, tally) == [words]


def test_a_run_without_requests_failed() -> None:
    assert Tally().error_share == 1


def test_a_tally_is_read_as_it_was_written(tmp_path: Path) -> None:
    tally = Tally(requests=3, charged=Decimal("2.5"), unknown=Decimal(1), wrong=["why"])
    tally.write(tmp_path / "tally.json")
    assert read_tally(tmp_path / "tally.json") == tally


def test_the_committed_targets_can_be_read() -> None:
    assert read_targets(HERE / "targets.toml").requests_per_second_min > 0


def test_wrong_money_no_replay_and_a_dirty_ledger_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("loadtest.load.reconcile_problem", lambda: "2 faults")
    misses = money_misses(Tally(), Money(charged=Decimal(2), answered=Decimal(1)))
    assert len(misses) == 3
    assert misses[-1] == "ledger: 2 faults"
