"""When an alert is due, whatever the portions in which its account's entries are looked at."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from billing.alerts.values import (
    Alert,
    Step,
    describe_crossing,
    find_crossings,
    make_delivery_id,
    make_secret,
)
from billing.credits import Credits

LEVEL = Credits.parse("10")
balances = st.lists(st.integers(0, 4).map(lambda fives: Credits.parse(str(5 * fives))), max_size=40)


def steps_of(*texts: str) -> list[Step]:
    return [Step(number, Credits.parse(text)) for number, text in enumerate(texts, 1)]


def test_falling_below_the_level_is_one_crossing() -> None:
    walk = find_crossings(LEVEL, False, 0, steps_of("11", "9", "8", "0"))
    assert [step.sequence for step in walk.crossings] == [2]
    assert (walk.is_below, walk.checked_sequence) == (True, 4)


def test_a_balance_of_just_the_level_is_not_below_it() -> None:
    assert find_crossings(LEVEL, False, 0, steps_of("10")).crossings == ()


def test_a_dip_between_two_looks_is_a_crossing() -> None:
    walk = find_crossings(LEVEL, False, 0, steps_of("9", "100", "9.999999", "100"))
    assert [step.sequence for step in walk.crossings] == [1, 3]
    assert not walk.is_below


def test_what_is_below_already_must_rise_first() -> None:
    assert find_crossings(LEVEL, True, 0, steps_of("9", "3")).crossings == ()
    assert len(find_crossings(LEVEL, True, 0, steps_of("9", "10", "9")).crossings) == 1


@given(balances, st.booleans(), st.lists(st.integers(1, 7), max_size=40))
def test_any_portions_give_the_same_crossings(
    after_each: list[Credits], was_below: bool, portions: list[int]
) -> None:
    steps = [Step(number, balance) for number, balance in enumerate(after_each, 1)]
    at_once = find_crossings(LEVEL, was_below, 0, steps)

    crossings: list[Step] = []
    below, checked, rest = was_below, 0, steps
    for portion in [*portions, len(steps)]:
        taken, rest = rest[:portion], rest[portion:]
        walk = find_crossings(LEVEL, below, checked, taken)
        crossings += walk.crossings
        below, checked = walk.is_below, walk.checked_sequence

    assert (tuple(crossings), below, checked) == (
        at_once.crossings,
        at_once.is_below,
        at_once.checked_sequence,
    )


@given(balances, st.booleans())
def test_crossings_are_where_the_side_changes_downwards(
    after_each: list[Credits], was_below: bool
) -> None:
    steps = [Step(number, balance) for number, balance in enumerate(after_each, 1)]
    sides = [was_below, *(balance < LEVEL for balance in after_each)]
    expected = [n for n in range(1, len(sides)) if sides[n] and not sides[n - 1]]
    walk = find_crossings(LEVEL, was_below, 0, steps)
    assert [step.sequence for step in walk.crossings] == expected


def test_one_crossing_has_one_delivery_id() -> None:
    alert_id = uuid.uuid4()
    assert make_delivery_id(alert_id, 7) == make_delivery_id(alert_id, 7)
    assert make_delivery_id(alert_id, 7) != make_delivery_id(alert_id, 8)


def test_event_says_what_happened() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    alert = Alert(uuid.uuid4(), uuid.uuid4(), LEVEL, "https://a.example", "whsec_x", False, 3, now)
    event = describe_crossing(alert, Step(4, Credits.parse("9.5")), now)
    assert event == {
        "type": "balance.low",
        "id": str(make_delivery_id(alert.id, 4)),
        "created_at": "2026-01-02T00:00:00+00:00",
        "data": {
            "account_id": str(alert.account_id),
            "alert_id": str(alert.id),
            "level": "10",
            "balance": "9.5",
            "sequence": 4,
        },
    }


def test_secrets_are_long_and_differ() -> None:
    first, second = make_secret(), make_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(first) >= 6 + 43
