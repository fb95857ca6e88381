"""Money: an exact number of credits, counted in microcredits."""

from __future__ import annotations

import re
from dataclasses import dataclass

MICROCREDITS_PER_CREDIT = 1_000_000
_DECIMAL_PLACES = 6
_PLAIN_DECIMAL = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Credits:
    """An amount of credits. 1 credit is 1,000,000 microcredits; never a float.

    `str(amount)` is the shortest plain decimal form, as in JSON answers: `"999"`, `"0.5"`.
    """

    microcredits: int

    @classmethod
    def parse(cls, text: str) -> Credits:
        """Read a plain decimal such as `"12"` or `"0.25"`.

        Raises ValueError for anything else: signs other than `-`, exponents, more than six
        decimal places, more than twelve digits before the point.
        """
        if not _PLAIN_DECIMAL.fullmatch(text):
            raise ValueError(
                f"{text!r} is not an amount of credits: write a plain decimal number with at most "
                f"{_DECIMAL_PLACES} decimal places, such as 12 or 0.25"
            )
        whole, _, fraction = text.removeprefix("-").partition(".")
        microcredits = int(whole) * MICROCREDITS_PER_CREDIT + int(fraction.ljust(6, "0"))
        return cls(-microcredits if text.startswith("-") else microcredits)

    def __add__(self, other: Credits) -> Credits:
        return Credits(self.microcredits + other.microcredits)

    def __sub__(self, other: Credits) -> Credits:
        return Credits(self.microcredits - other.microcredits)

    def __mul__(self, count: int) -> Credits:
        return Credits(self.microcredits * count)

    def __neg__(self) -> Credits:
        return Credits(-self.microcredits)

    def __str__(self) -> str:
        whole, fraction = divmod(abs(self.microcredits), MICROCREDITS_PER_CREDIT)
        decimals = f"{fraction:06d}".rstrip("0")
        sign = "-" if self.microcredits < 0 else ""
        return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


ZERO = Credits(0)
