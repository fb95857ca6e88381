"""Why the model said what it said: contributions turned into words, numbers and bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from babel.numbers import format_decimal
from markupsafe import Markup

from frontend.context import Console
from frontend.features.catalogue import Description
from frontend.language import Language
from frontend.model_cards import ModelCard
from frontend.texts import Texts

_FACTOR_MAX = 1000.0
_BAR_PERCENT_MIN = 1.5
"""A reason that counts has a bar to be seen."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature, or all others together: then `feature` is None."""

    feature: str | None
    text: str
    """In plain words; empty where nothing is known of the feature."""
    present: bool
    contribution: float
    """Log-odds; above zero towards the positive label."""
    bar_percent: float
    """Of the longest bar of the explanation."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """An explanation to be shown: both lists begin with what weighs most."""

    supporting: tuple[Reason, ...]
    opposing: tuple[Reason, ...]
    base_probability: float
    """What the model says before it looks."""
    probability: float
    positive_label: str | None
    """None where the model's card is not at hand."""
    threshold: float | None
    """The probability from which on the positive label is given."""


def read_reasons(
    prediction: Mapping[str, Any],
    card: ModelCard | None,
    describe: Callable[[str], Description],
) -> Reasons:
    """The reasons of a prediction that comes with an `explanation`."""
    explanation = prediction["explanation"]
    rest = explanation["rest"]
    weights = [abs(each["contribution"]) for each in explanation["contributions"]]
    longest = max([*weights, abs(rest)])
    reasons = [
        Reason(
            feature=each["feature"],
            text=describe(each["feature"]).text,
            present=bool(each["value"]),
            contribution=each["contribution"],
            bar_percent=_bar_percent(each["contribution"], longest),
        )
        for each in explanation["contributions"]
    ]
    if rest:
        reasons.append(Reason(None, "", False, rest, _bar_percent(rest, longest)))
    return Reasons(
        supporting=tuple(each for each in reasons if each.contribution > 0),
        opposing=tuple(each for each in reasons if each.contribution < 0),
        base_probability=1 / (1 + math.exp(-explanation["base"])),
        probability=prediction["probability"],
        positive_label=card.positive if card else None,
        threshold=card.threshold if card else None,
    )


def render_reasons(
    console: Console, prediction: Mapping[str, Any], card: ModelCard | None
) -> Markup:
    """HTML of the reasons for and against, as bars with words and numbers."""
    language = console.language
    return console.templates.render(
        "explanation.html",
        reasons=read_reasons(prediction, card, console.features.describe),
        label=lambda name: show_label(console.texts, name),
        factor=lambda contribution: show_factor(contribution, language),
    )


def show_label(texts: Texts, label: str | None) -> str:
    """A model's label in the reader's words, as it is where there are none for it."""
    section = texts.section("explanation")
    return str(section.get(f"label_{label}", label or section["label_unknown"]))


def show_factor(contribution: float, language: Language) -> str:
    """What a contribution does to the odds: times 4.6, or by 2 where it makes them smaller."""
    factor = math.exp(min(abs(contribution), math.log(_FACTOR_MAX)))
    sign = "\N{MULTIPLICATION SIGN}" if contribution > 0 else "\N{DIVISION SIGN}"
    pattern = "0.00" if factor < 10 else "0"  # noqa: PLR2004 - three digits say enough
    return sign + format_decimal(factor, pattern, str(language))


def _bar_percent(contribution: float, longest: float) -> float:
    if not longest:
        return 0.0
    return max(round(100 * abs(contribution) / longest, 1), _BAR_PERCENT_MIN)
