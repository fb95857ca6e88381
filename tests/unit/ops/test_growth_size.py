"""What the grown ledger's size says of its rows and of its disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.generated_ledger import cut
from ops.growth_bench.books import charge_fault
from ops.growth_bench.size import Size, TooLittleDisk


def test_answers_of_two_of_ten_days_are_stored() -> None:
    size = Size(charges=1_000, accounts=50)
    assert size.charges - size.first_answered + 1 == 200


def test_a_disk_without_room_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(TooLittleDisk, match="--entries"):
        Size(charges=10**15, accounts=50).check_disk(tmp_path)


def test_parts_are_next_to_each_other_and_hold_every_number() -> None:
    assert list(cut(10, 3)) == [(1, 3), (4, 6), (7, 10)]


@pytest.mark.parametrize("charged", [100, 101, 103])
def test_charges_may_be_the_answers_and_what_nobody_saw_answered(charged: int) -> None:
    assert charge_fault("grown", charged, answered=100, unanswered=3) is None


@pytest.mark.parametrize("charged", [99, 104])
def test_any_other_number_of_charges_is_a_fault(charged: int) -> None:
    assert charge_fault("grown", charged, answered=100, unanswered=3) is not None
