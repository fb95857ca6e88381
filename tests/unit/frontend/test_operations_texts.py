"""The texts of the operators' page: the same in each language, and enough for what the API says."""

from __future__ import annotations

from string import Formatter
from typing import Any

from billing.grants.adding import Origin
from billing.posting import Kind
from frontend.language import Language
from frontend.pages.operations.timeline import SPANS, VIEWS
from frontend.texts import load_texts
from models.drift import Verdict
from serve.errors import PROBLEMS

ENGLISH, RUSSIAN = (load_texts(language).section("operations") for language in Language)


def flatten(texts: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in texts.items():
        nested = isinstance(value, dict)
        flat |= flatten(value, f"{prefix}{name}.") if nested else {prefix + name: value}
    return flat


def braces(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    english, russian = flatten(ENGLISH), flatten(RUSSIAN)
    assert english.keys() == russian.keys()
    assert {name for name in english if braces(english[name]) != braces(russian[name])} == set()


def test_everything_that_the_api_can_answer_has_words() -> None:
    assert set(ENGLISH["verdicts"]) == set(Verdict)
    assert set(ENGLISH["kinds"]) == set(Kind)
    assert set(ENGLISH["origins"]) == set(Origin)
    assert set(ENGLISH["spans"]) == set(SPANS)
    assert set(ENGLISH["views"]) == set(VIEWS)


def test_a_refusal_that_is_explained_is_one_of_the_api() -> None:
    assert set(ENGLISH["refusals"]) <= set(PROBLEMS)
