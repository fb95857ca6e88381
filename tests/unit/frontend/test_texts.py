"""What the console says: the same in each language, and every word of it used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import frontend
from frontend.language import Language
from frontend.texts import Texts, load_texts

FOLDER = Path(frontend.__file__).parent
ENGLISH, RUSSIAN = load_texts(Language.ENGLISH), load_texts(Language.RUSSIAN)
CYRILLIC = re.compile("[\u0400-\u04ff]")
PLURALS = frozenset({"one", "few", "many", "other"})


def every_text(texts: Texts) -> dict[tuple[str, str], str]:
    """Section and name to the text; a table of names in it gives `table.name`."""
    return {
        (section, name): text
        for section, named in texts.sections.items()
        for name, text in flatten(named)
        if name not in PLURALS
    }


def flatten(named: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, text in named.items():
        if isinstance(text, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in flatten(text))
        else:
            yield name, text


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_sections_and_names() -> None:
    assert set(every_text(ENGLISH)) == set(every_text(RUSSIAN))


def test_a_text_has_the_same_placeholders_in_each_language() -> None:
    english, russian = every_text(ENGLISH), every_text(RUSSIAN)
    differing = {
        name for name in english if placeholders(english[name]) != placeholders(russian[name])
    }
    assert differing == set()


@pytest.mark.parametrize("texts", [ENGLISH, RUSSIAN])
def test_no_text_is_empty(texts: Texts) -> None:
    assert [name for name, text in every_text(texts).items() if not text.strip()] == []


def test_russian_texts_are_russian() -> None:
    """All but names, which are the same in both."""
    latin = {
        name
        for name, text in every_text(RUSSIAN).items()
        if not CYRILLIC.search(text) and every_text(ENGLISH)[name] != text
    }
    assert latin == {("frame", "other_language")}


def test_every_text_is_used() -> None:
    """By its name in quotes or behind a dot, in a template or in code; or by one put together
    there and has a part in common: f"request_{status}", f"{what}_by_{step}"."""
    sources = "\n".join(
        path.read_text()
        for pattern in ("**/*.py", "templates/*.html")
        for path in FOLDER.glob(pattern)
    )
    quoted = set(re.findall(r"[\"'.](\w+)", sources))
    middles = re.findall(r"\}(_\w+_)\{", sources)
    beginnings = tuple(re.findall(r"[\"'](\w+_)(?:\{|[\"'] ?[~+])", sources))
    unused = [
        (section, name)
        for section, name in every_text(ENGLISH)
        if section != "problems"
        and name.partition(".")[0] not in quoted
        and not name.startswith(beginnings)
        and not any(middle in name for middle in middles)
    ]
    assert unused == []
