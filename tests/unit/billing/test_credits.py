"""Money is exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.credits import Credits

_amounts = st.integers(-(10**17), 10**17).map(Credits)


@given(_amounts)
def test_text_of_an_amount_reads_back_as_the_same_amount(amount: Credits) -> None:
    assert Credits.parse(str(amount)) == amount


@given(_amounts)
def test_text_is_the_shortest_plain_decimal(amount: Credits) -> None:
    text = str(amount)
    assert Decimal(text) * 1_000_000 == amount.microcredits
    assert "." not in text or not text.endswith(("0", "."))


@given(_amounts, _amounts, st.integers(0, 1000))
def test_arithmetic_is_that_of_integers(one: Credits, other: Credits, count: int) -> None:
    assert (one + other) - other == one
    assert -one == Credits(0) - one
    assert (one * count).microcredits == one.microcredits * count
    assert (one < other) == (one.microcredits < other.microcredits)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.",
        ".5",
        "+1",
        "1e3",
        "1,5",
        " 1",
        "1\n",
        "0.0000001",
        "1234567890123",
        "\u0661",
        "NaN",
        "--1",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Credits.parse(text)
