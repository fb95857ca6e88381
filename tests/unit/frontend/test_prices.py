"""Amounts that people type, and prices as money."""

import pytest

from frontend.language import Language
from frontend.prices import price_minor_units, read_amount, show_price


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("100", "100"),
        (" 0.5 ", "0.5"),
        ("0,5", "0.5"),
        ("1 000,50", "1000.5"),
        ("1\N{NO-BREAK SPACE}334,5", "1334.5"),
        ("100.000000", "100"),
        ("007", "7"),
        ("0", "0"),
        ("123456789012345.123456", "123456789012345.123456"),
    ],
)
def test_an_amount_is_read_exactly(typed: str, amount: str) -> None:
    assert read_amount(typed) == amount


@pytest.mark.parametrize(
    "typed", ["", None, "abc", "-1", "1e3", "1.2.3", "0.1234567", "1,000,000", "NaN", "١٢"]
)
def test_what_is_no_amount_is_refused(typed: str | None) -> None:
    assert read_amount(typed) is None


def test_a_comma_that_may_part_thousands_is_refused() -> None:
    assert read_amount("1,000") is None


def test_a_price_is_rounded_up_to_a_whole_minor_unit() -> None:
    assert price_minor_units("1234.5", "1") == 1235
    assert price_minor_units("0.000001", "0.5") == 1
    assert price_minor_units("300", "0.1") == 30


@pytest.mark.parametrize(
    ("minor", "currency", "english", "russian"),
    [
        (1235, "usd", "$12.35", "12,35\N{NO-BREAK SPACE}$"),
        (1250, "jpy", "¥1,250", "1\N{NO-BREAK SPACE}250\N{NO-BREAK SPACE}¥"),
        (1500, "kwd", "KWD1.500", "1,500\N{NO-BREAK SPACE}KWD"),
        ("0.5", "eur", "€0.005", "0,005\N{NO-BREAK SPACE}€"),
        ("100", "rub", "RUB1.00", "1,00\N{NO-BREAK SPACE}₽"),
    ],
)
def test_a_price_has_as_many_digits_as_its_currency(
    minor: str | int, currency: str, english: str, russian: str
) -> None:
    def plain(text: str) -> str:
        return text.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")

    assert plain(show_price(minor, currency, Language.ENGLISH)) == english
    assert plain(show_price(minor, currency, Language.RUSSIAN)) == russian
