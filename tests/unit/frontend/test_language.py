"""Which language a browser gets."""

from __future__ import annotations

import pytest

from frontend.language import Language, choose_language


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", Language.RUSSIAN),
        ("en-GB,en;q=0.9,ru;q=0.8", Language.ENGLISH),
        ("de-DE,de;q=0.9,ru;q=0.5,en;q=0.4", Language.RUSSIAN),
        ("de", Language.ENGLISH),
        ("", Language.ENGLISH),
        ("ru;q=nonsense, en;q=0.1", Language.ENGLISH),
    ],
)
def test_the_browsers_first_wish_that_we_have_is_chosen(accept: str, chosen: Language) -> None:
    assert choose_language(None, accept) is chosen


def test_the_switch_wins_over_the_browser() -> None:
    assert choose_language("en", "ru") is Language.ENGLISH
    assert choose_language("no language", "ru") is Language.RUSSIAN
