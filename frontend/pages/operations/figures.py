"""Times and counts as one language writes them."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale
from babel.numbers import format_decimal

from frontend.language import Language

_NONE = "\N{EN DASH}"
_EXACT_BELOW_MS = 100


@dataclass(frozen=True, slots=True)
class Figures:
    """Passed to the templates; what is None is shown as a dash."""

    language: Language

    @property
    def _locale(self) -> Locale:
        return Locale(str(self.language))

    def count(self, number: int | None) -> str:
        """`12,345`."""
        return _NONE if number is None else format_decimal(number, locale=self._locale)

    def milliseconds(self, milliseconds: float | None) -> str:
        """To three digits or so: the service's own buckets are no finer."""
        if milliseconds is None:
            return _NONE
        pattern = "#,##0.#" if milliseconds < _EXACT_BELOW_MS else "#,##0"
        return format_decimal(milliseconds, pattern, self._locale)

    def decimal(self, number: float | None) -> str:
        """A PSI or the like, to three digits behind the point."""
        return _NONE if number is None else format_decimal(number, "0.###", self._locale)
