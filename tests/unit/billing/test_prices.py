"""Which price wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing.credits import ZERO, Credits
from billing.errors import PriceMissing
from billing.prices import Operation, Price, PriceTable

_NOW = datetime(2030, 1, 1, tzinfo=UTC)


def _table(*prices: tuple[str | None, str | None, int, int]) -> PriceTable:
    """Prices as (model, version, microcredits, days from now)."""
    return PriceTable(
        tuple(
            Price(model, version, Credits(amount), _NOW + timedelta(days=days))
            for model, version, amount, days in prices
        ),
        now=lambda: _NOW,
    )


def test_price_is_for_all_instances_together() -> None:
    assert _table((None, None, 5, 0)).price("malware", "1", 3) == Credits(15)


def test_most_specific_price_wins_whatever_its_date() -> None:
    table = _table(("malware", "2", 3, -9), ("malware", None, 2, -5), (None, None, 1, -1))
    assert table.price("malware", "2", 1) == Credits(3)
    assert table.price("malware", "1", 1) == Credits(2)
    assert table.price("other", "2", 1) == Credits(1)


def test_latest_price_wins_among_equals() -> None:
    table = _table((None, None, 1, -3), (None, None, 2, -1), (None, None, 3, -2))
    assert table.price("malware", "1", 1) == Credits(2)


def test_price_of_the_future_is_not_in_effect_yet() -> None:
    table = _table((None, None, 1, -1), ("malware", "1", 9, 1))
    assert table.price("malware", "1", 1) == Credits(1)


def test_price_takes_effect_without_the_table_being_read_again() -> None:
    moments = iter([_NOW - timedelta(days=1), _NOW])
    table = PriceTable(
        (
            Price(None, None, Credits(1), _NOW - timedelta(days=9)),
            Price(None, None, Credits(2), _NOW),
        ),
        now=lambda: next(moments),
    )
    assert [table.price("m", "1", 1), table.price("m", "1", 1)] == [Credits(1), Credits(2)]


def test_price_may_be_nothing() -> None:
    assert _table((None, None, 0, 0)).price("malware", "1", 3) == ZERO


def test_each_operation_has_prices_of_its_own() -> None:
    table = PriceTable(
        (
            Price("malware", "1", Credits(1), _NOW),
            Price(None, None, Credits(3), _NOW, Operation.EXPLAIN),
            Price("malware", None, Credits(2), _NOW - timedelta(days=1), Operation.EXPLAIN),
        ),
        now=lambda: _NOW,
    )
    assert table.price("malware", "1", 2) == Credits(2)
    assert table.price("malware", "1", 2, Operation.EXPLAIN) == Credits(4)
    assert table.price("other", "1", 2, Operation.EXPLAIN) == Credits(6)
    with pytest.raises(PriceMissing):
        table.price("other", "1", 1)


def test_price_of_predictions_is_none_of_explanations() -> None:
    with pytest.raises(PriceMissing, match="explain"):
        _table((None, None, 1, 0)).price("malware", "1", 1, Operation.EXPLAIN)


def test_model_without_any_price_is_an_error() -> None:
    with pytest.raises(PriceMissing):
        _table(("other", None, 1, 0)).price("malware", "1", 1)


def test_prices_to_come_are_told_the_soonest_first() -> None:
    table = _table((None, None, 1, 5), ("malware", None, 2, 1), (None, None, 3, 0))
    assert [price.amount for price in table.find_coming()] == [Credits(2), Credits(1)]
