"""The languages of the console, and which one a browser wants."""

from __future__ import annotations

from enum import StrEnum

COOKIE = "farebox_language"


class Language(StrEnum):
    """Each has its own pages, under its own prefix."""

    ENGLISH = "en"
    RUSSIAN = "ru"


def choose_language(cookie: str | None, accept_language: str) -> Language:
    """The one chosen before by the switch, or the first that the browser asks for and we have."""
    if cookie in set(Language):
        return Language(cookie)
    wanted = sorted(map(_weigh, accept_language.split(",")), reverse=True)
    for _, tag in wanted:
        if tag in set(Language):
            return Language(tag)
    return Language.ENGLISH


def _weigh(item: str) -> tuple[float, str]:
    """Weight and primary tag of `ru-RU;q=0.8` (RFC 9110, 12.5.4)."""
    tag, _, quality = item.partition(";")
    try:
        weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower().partition("-")[0]
