"""A dictionary that forgets its oldest entries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serve.bounded import BoundedDict


def test_the_oldest_entry_leaves_first() -> None:
    bounded: BoundedDict[str, int] = BoundedDict(2)
    for number, name in enumerate("abc"):
        bounded[name] = number
    assert bounded == {"b": 1, "c": 2}


def test_a_new_value_of_a_known_key_makes_none_leave() -> None:
    bounded: BoundedDict[str, int] = BoundedDict(2)
    bounded["a"] = bounded["b"] = 1
    bounded["a"] = 2
    assert bounded == {"a": 2, "b": 1}


def test_a_deleted_entry_makes_room() -> None:
    bounded: BoundedDict[str, int] = BoundedDict(2)
    bounded["a"] = bounded["b"] = 1
    del bounded["b"]
    bounded["c"] = 1
    assert set(bounded) == {"a", "c"}


@given(st.integers(1, 5), st.lists(st.integers(0, 9)))
def test_it_never_holds_more_and_always_the_newest(entries_max: int, keys: list[int]) -> None:
    bounded: BoundedDict[int, int] = BoundedDict(entries_max)
    for place, key in enumerate(keys):
        bounded[key] = place
        assert len(bounded) <= entries_max
        assert bounded[key] == place
