"""Amounts that people type, and prices as money."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

from babel.numbers import format_currency, get_currency_precision

from frontend.language import Language

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")


def read_amount(text: str | None) -> str | None:
    """Credits as the API takes them, exactly, from what was typed: `1 000,50` is `1000.5`.

    None for what is no amount: a comma is a decimal point where it stands alone with up to six
    digits behind it, so `1,000` is refused as it means two things.
    """
    plain = _SPACES.sub("", text or "")
    if re.fullmatch(r"\d+,\d{3}", plain):
        return None
    plain = plain.replace(",", ".", 1) if "." not in plain else plain
    if not _AMOUNT.fullmatch(plain):
        return None
    return f"{Decimal(plain).normalize():f}"


def price_minor_units(amount: str, credit_price_minor_units: str) -> int:
    """What a top-up costs: exact, then rounded up to a whole minor unit, as the API does."""
    exact = Decimal(amount) * Decimal(credit_price_minor_units)
    return int(exact.to_integral_value(ROUND_CEILING))


def show_price(minor_units: str | int, currency: str, language: Language) -> str:
    """Money: 1250 of `usd` are `$12.50`, of `jpy` `¥1,250`; parts of a minor unit are shown too."""
    code = currency.upper()
    digits = get_currency_precision(code)
    amount = Decimal(minor_units).scaleb(-digits)
    exponent = amount.normalize().as_tuple().exponent
    shown = max(digits, -exponent if isinstance(exponent, int) else 0)
    fraction = "." + "0" * shown if shown else ""
    pattern = f"¤#,##0{fraction}" if language is Language.ENGLISH else f"#,##0{fraction}\u00a0¤"
    return format_currency(amount, code, pattern, locale=str(language), currency_digits=False)
