"""What a paid answer says, in both transports: its outputs, and what it cost."""

from __future__ import annotations

import orjson

from serve.pipeline import Answer
from serve.predictions import read_predictions
from serve.v2.call import Asked
from serve.v2.outputs import EXPLANATION, LABEL, PROBABILITY, Output, Values, select


def answer_parameters(answer: Answer) -> dict[str, str | bool]:
    """The `parameters` of an answer. Credits are decimal strings, as everywhere."""
    return {
        "prediction_id": str(answer.stored.charge_id),
        "credits_charged": str(answer.stored.amount),
        "credits_balance": str(answer.balance),
        "idempotency_replayed": answer.replayed,
    }


def answer_outputs(asked: Asked, answer: Answer) -> list[Output]:
    """The outputs that were asked for."""
    kept = answer.stored.predictions
    probabilities, labels = read_predictions(kept)
    values: dict[str, Values] = {PROBABILITY: probabilities, LABEL: labels}
    if asked.explain:
        values[EXPLANATION] = _read_explanations(kept)
    return select(asked.outputs, values)


def _read_explanations(kept: bytes) -> list[str]:
    """The JSON of each row's explanation; explained predictions are kept as JSON."""
    return [orjson.dumps(each["explanation"]).decode() for each in orjson.loads(kept)]
