"""What an answer to a scoring request must look like."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

LABELS = {"malware", "goodware"}


def answer_fault(answer: object, instances: int) -> str | None:
    """None where the answer is right for so many instances, else what is wrong with it."""
    if not isinstance(answer, dict):
        return "not an object"
    predictions = answer.get("predictions")
    if not isinstance(predictions, list) or len(predictions) != instances:
        return f"not {instances} predictions"
    faults = [fault for fault in map(_prediction_fault, predictions) if fault]
    if faults:
        return faults[0]
    if not answer.get("id") or Decimal(answer.get("credits_charged", "0")) <= 0:
        return "no id or no charge"
    return None


def _prediction_fault(prediction: object) -> str | None:
    if not isinstance(prediction, dict) or prediction.get("label") not in LABELS:
        return f"not a prediction: {prediction}"
    probability = prediction.get("probability")
    if not isinstance(probability, float | int) or not 0 <= probability <= 1:
        return f"not a probability: {probability}"
    return None


def replay_fault(first: dict[str, Any], second: dict[str, Any], marked: str) -> str | None:
    """None where `second` replays `first`: the same id, predictions and charge, and marked so."""
    if marked != "true":
        return "a retry with the same key is not marked as replayed"
    for name in ("id", "predictions", "credits_charged"):
        if first.get(name) != second.get(name):
            return f"a replay with another {name}"
    return None
