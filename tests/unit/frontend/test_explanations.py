"""Reasons as people read them: sides, bars, words and numbers."""

import math
from pathlib import Path
from typing import Any

import pytest

from frontend.application import make_console
from frontend.context import Console
from frontend.explanations import (
    read_reasons,
    render_reasons,
    show_factor,
    show_label,
)
from frontend.features.catalogue import load_catalogue
from frontend.language import Language
from frontend.model_cards import find_model
from frontend.results import ResultFiles
from frontend.server import connect
from frontend.settings import ConsoleSettings
from tests.support.model_cards import CARD

describe = load_catalogue("en").describe


def prediction(*contributions: tuple[str, int, float], rest: float = 0.0) -> dict[str, Any]:
    return {
        "label": "malware",
        "probability": 0.21418,
        "explanation": {
            "base": -3.9606661087,
            "raw_score": -1.2998888,
            "contributions": [
                {"feature": name, "value": value, "contribution": contribution}
                for name, value, contribution in contributions
            ],
            "rest": rest,
        },
    }


@pytest.fixture
def console(request: pytest.FixtureRequest, tmp_path: Path) -> Console:
    language = getattr(request, "param", Language.ENGLISH)
    server = connect("http://127.0.0.1:9", 1.0)  # never asked
    return make_console(ConsoleSettings(), server, ResultFiles(tmp_path, 1.0), language)


def test_reasons_are_parted_by_their_sign_in_the_order_given() -> None:
    answer = prediction(("SEND_SMS", 1, 2.0), ("VIBRATE", 0, -1.0), ("INTERNET", 1, 0.5))
    reasons = read_reasons(answer, CARD, describe)
    assert [each.feature for each in reasons.supporting] == ["SEND_SMS", "INTERNET"]
    assert [each.feature for each in reasons.opposing] == ["VIBRATE"]
    assert [each.present for each in (*reasons.supporting, *reasons.opposing)] == [
        True,
        True,
        False,
    ]


def test_bars_of_both_sides_have_one_scale() -> None:
    answer = prediction(("SEND_SMS", 1, 2.0), ("VIBRATE", 0, -1.0), ("INTERNET", 1, 0.001))
    reasons = read_reasons(answer, CARD, describe)
    assert [each.bar_percent for each in reasons.supporting] == [100.0, 1.5]
    assert [each.bar_percent for each in reasons.opposing] == [50.0]


def test_everything_else_is_one_reason_without_a_feature_and_can_be_the_longest() -> None:
    reasons = read_reasons(prediction(("SEND_SMS", 1, 1.0), rest=-4.0), CARD, describe)
    assert [(each.feature, each.bar_percent) for each in reasons.opposing] == [(None, 100.0)]
    assert reasons.supporting[0].bar_percent == 25.0


def test_an_explanation_without_contributions_has_no_reasons() -> None:
    reasons = read_reasons(prediction(), CARD, describe)
    assert (reasons.supporting, reasons.opposing) == ((), ())
    assert reasons.base_probability == pytest.approx(0.0187, abs=1e-4)


def test_a_retired_version_has_no_card_and_its_reasons_are_told_all_the_same(
    console: Console,
) -> None:
    assert find_model([CARD], "android-malware 1") is CARD
    assert find_model([CARD], "android-malware 2") is None
    html = render_reasons(console, prediction(("SEND_SMS", 1, 1.0)), None)
    assert "Speaks for “the positive answer”" in html


def test_a_feature_is_told_in_words_with_its_name_beside_and_escaped(console: Console) -> None:
    answer = prediction(("SEND_SMS", 1, 2.0), ("<b>", 0, -1.0))
    html = render_reasons(console, answer, CARD)
    assert "Send text messages, which can cost money" in html
    assert "<code>SEND_SMS</code>" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize("console", [Language.RUSSIAN], indirect=True)
def test_reasons_are_told_in_the_language_of_the_page(console: Console) -> None:
    html = render_reasons(console, prediction(("SEND_SMS", 1, 2.0)), CARD)
    assert "вердикт «вредоносное»" in html
    assert "Отправлять SMS" in html
    assert "21,4\N{NO-BREAK SPACE}%" in html


@pytest.mark.parametrize(
    ("contribution", "shown"),
    [
        (math.log(2), "\N{MULTIPLICATION SIGN}2.00"),
        (-math.log(2), "\N{DIVISION SIGN}2.00"),
        (math.log(37), "\N{MULTIPLICATION SIGN}37"),
        (-900.0, "\N{DIVISION SIGN}1000"),
    ],
)
def test_a_contribution_is_told_by_what_it_does_to_the_odds(
    contribution: float, shown: str
) -> None:
    assert show_factor(contribution, Language.ENGLISH) == shown


def test_a_label_without_words_is_shown_as_it_is(console: Console) -> None:
    assert show_label(console.texts, "goodware") == "harmless"
    assert show_label(console.texts, "setosa") == "setosa"
