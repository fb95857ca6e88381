"""Days as people choose them, moments as the API takes them."""

from datetime import UTC, datetime

import pytest

from frontend.days import NotADay, begin_of, end_of, is_within, last_day, show_month
from frontend.language import Language


def test_a_day_is_from_midnight_to_midnight() -> None:
    assert begin_of("2026-05-31") == "2026-05-31T00:00:00Z"
    assert end_of("2026-05-31") == "2026-06-01T00:00:00Z"


def test_no_day_is_no_bound() -> None:
    assert begin_of("") is None
    assert end_of(" ") is None
    assert begin_of(None) is None


@pytest.mark.parametrize("typed", ["31.05.2026", "2026-02-30", "soon", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    with pytest.raises(NotADay):
        end_of(typed)


def test_the_last_day_comes_back_as_it_was_chosen() -> None:
    assert last_day(end_of("2026-05-31")) == "2026-05-31"
    assert last_day("2026-05-31T12:00:00+00:00") == "2026-05-31"
    assert last_day(None) == ""


def test_soon_is_counted_from_now() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert is_within("2026-05-07T23:00:00Z", 7, now)
    assert not is_within("2026-05-08T00:00:00Z", 7, now)
    assert not is_within(None, 7, now)


def test_a_month_is_named_in_each_language() -> None:
    assert show_month("2026-05", Language.ENGLISH) == "May 2026"
    assert show_month("2026-05", Language.RUSSIAN).startswith("май 2026")
