"""What a paid answer says, in both transports: its outputs, and what it cost."""

from __future__ import annotations

from serve.pipeline import Answer
from serve.predictions import read_predictions
from serve.v2.call import Asked
from serve.v2.outputs import Output, select

IDEMPOTENCY_KEY = "idempotency-key"
IDEMPOTENCY_REPLAYED = "idempotency-replayed"


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
    probabilities, labels = read_predictions(answer.stored.predictions)
    return select(asked.outputs, probabilities, labels)
