"""Explained predictions as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def describe_answer(answer: dict[str, Any]) -> Iterator[str]:
    """Lines that tell each instance's label and what spoke for and against it."""
    for number, prediction in enumerate(answer["predictions"], 1):
        yield from _describe(number, prediction)
    left = answer["credits_balance"]
    yield f"{answer['credits_charged']} credits charged, {left} left; id {answer['id']}"


def _describe(number: int, prediction: dict[str, Any]) -> Iterator[str]:
    explanation = prediction["explanation"]
    yield (
        f"instance {number}: {prediction['label']}, probability {prediction['probability']:.3f} "
        f"(log-odds {explanation['raw_score']:+.2f})"
    )
    yield f"  {explanation['base']:+7.2f}  before any feature is looked at"
    for each in explanation["contributions"]:
        said = "has" if each["value"] else "has not"
        yield f"  {each['contribution']:+7.2f}  {said} {each['feature']}"
    yield f"  {explanation['rest']:+7.2f}  all other features"
