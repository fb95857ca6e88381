"""HTML from the templates: whatever is filled in is escaped, and shown as the language has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import gradio as gr
from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from frontend.language import Language
from frontend.texts import Texts

_AMOUNT = "#,##0.######"
"""To the last microcredit: an amount is never rounded."""


class Templates:
    """The templates in one language. `t` is its texts; the filters are the functions below."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._environment = Environment(
            loader=PackageLoader("frontend"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(t=texts, language=str(texts.language))
        self._environment.filters.update(
            amount=self.show_amount,
            credits=self.show_credits,
            moment=self.show_moment,
            percent=self.show_percent,
        )

    def render(
        self, template: str, values: Mapping[str, object] | None = None, /, **more: object
    ) -> Markup:
        """The filled-in template: HTML, which other templates take as it is."""
        html = self._environment.get_template(template).render({**(values or {}), **more})
        return Markup(html)  # noqa: S704 - escaped by the environment

    def show_amount(self, amount: str | int) -> str:
        """A decimal as the API gives it, exactly: `12,345.5`, in Russian `12 345,5`."""
        return format_decimal(Decimal(amount), _AMOUNT, _locale(self._texts.language))

    def show_credits(self, amount: str | int) -> str:
        """The same with its unit: `1 credit`, `0.5 credits`, «2 кредита»."""
        form = _locale(self._texts.language).plural_form(abs(Decimal(amount)))
        word = self._texts("credits", form)
        return f"{self.show_amount(amount)}\N{NO-BREAK SPACE}{word}"

    def show_percent(self, share: float | None, digits: int = 1) -> str:
        """A share of one in percent: `21.4%`, in Russian `21,4 %`; what would be rounded to none
        or all as less or more than the least that is shown: `<0.1%`."""
        if share is None:
            return "\N{EN DASH}"
        least = 10.0 ** -(digits + 2)
        if 0 < share < least:
            return "<" + self._percent(least, digits)
        if 1 - least < share < 1:
            return ">" + self._percent(1 - least, digits)
        return self._percent(share, digits)

    def _percent(self, share: float, digits: int) -> str:
        space = "\N{NO-BREAK SPACE}" if self._texts.language is Language.RUSSIAN else ""
        return format_percent(share, f"0.{'#' * digits}{space}%", _locale(self._texts.language))

    def show_moment(self, moment: str | None) -> str:
        """A time of the API to the second, in UTC as statements and caps are."""
        if moment is None:
            return "\N{EN DASH}"
        read = datetime.fromisoformat(moment).astimezone(UTC)
        shown = format_datetime(read, "d MMM y, HH:mm:ss", locale=_locale(self._texts.language))
        return f"{shown} UTC"


def html_block(value: str = "", *, visible: bool = True) -> gr.HTML:
    """A component of our own HTML, styled by `console.css` alone."""
    return gr.HTML(value, padding=False, apply_default_css=False, visible=visible)


def _locale(language: Language) -> Locale:
    return Locale(str(language))
