"""Why one instance of a paid prediction was answered as it was: free, for a person who reads it.

It is reckoned from the row that is stored with the answer, by the version that answered, unless the
request was explained: then what was paid and stored is told again.
"""

from __future__ import annotations

import uuid
from typing import Any

import orjson
import structlog

from billing.charges import AnswerExpired, StoredRows
from models.errors import ModelError
from models.explanations import TOLERANCE
from models.manifest import Manifest
from serve.explained_predictions import check_explainable, keep_explained, kept_explanation
from serve.pipeline import Pipeline, prediction_not_found
from serve.ports import Scorer
from serve.predictions import read_predictions
from serve.rates import AccountRate
from serve.refusals import Code, Fault, Refusal
from serve.translation import refusal_of
from serve.validation import refuse_input, row_bytes

logger = structlog.get_logger(__name__)


class StoredExplanations:
    """Explains single instances of what was scored before, so many an hour for each account."""

    def __init__(self, pipeline: Pipeline, scorer: Scorer, rate: str) -> None:
        self._pipeline = pipeline
        self._scorer = scorer
        self._rate = AccountRate(rate)

    async def explain(
        self, account_id: uuid.UUID, charge_id: uuid.UUID, instance: int, request_id: str
    ) -> bytes:
        """The answer's JSON; `instance` counts from 0. Raises a Refusal where there is none.

        Only what is reckoned anew counts against the rate.
        """
        stored = await self._find(account_id, charge_id)
        answer = stored.answer
        probabilities, _ = read_predictions(answer.predictions)
        if instance >= len(probabilities):
            raise _no_such_instance(len(probabilities))
        prediction = kept_explanation(answer.predictions, instance)
        if prediction is None:
            prediction = await self._reckon(account_id, stored, instance, probabilities[instance])
        named = {"id": str(charge_id), "model": answer.model, "version": answer.version}
        if prediction is None:
            logger.error("explanation_differs", request_id=request_id, instance=instance, **named)
            raise _differs()
        return orjson.dumps({**named, "instance": instance, "prediction": prediction})

    async def _find(self, account_id: uuid.UUID, charge_id: uuid.UUID) -> StoredRows:
        found = await self._pipeline.history.find_rows(account_id, charge_id)
        if found is None:
            raise prediction_not_found()
        if isinstance(found, AnswerExpired):
            raise Refusal(
                Code.ANSWER_EXPIRED,
                "The rows and the answer of this prediction have been pruned. To learn why, send "
                "the instance again with `explain: true`.",
            )
        return found

    async def _reckon(
        self, account_id: uuid.UUID, stored: StoredRows, instance: int, probability: float
    ) -> dict[str, Any] | None:
        """None where the model does not say `probability` now, or cannot say why."""
        model, version = stored.answer.model, stored.answer.version
        config = self._pipeline.batcher.config
        try:
            manifest = self._pipeline.models.find(model, version, account_id)
            check_explainable(manifest, 1, config.explained_instances_max)
            self._count(account_id)
            row = _row_of(stored, instance, manifest)
            explained = await self._scorer.explain(
                model, version, row, 1, config.explanation_features_max, counts=False
            )
        except ModelError as error:
            raise refusal_of(error) from error
        if not abs(explained["probability"][0] - probability) <= TOLERANCE:  # nor where it is NaN
            return None
        return kept_explanation(keep_explained(explained, row, manifest), 0)

    def _count(self, account_id: uuid.UUID) -> None:
        seconds = self._rate.take(account_id)
        if seconds:
            raise Refusal(
                Code.TOO_MANY_ATTEMPTS,
                f"Stored predictions are explained free, {self._rate.text} for each account; the "
                f"next can be in {seconds} s. To explain many, send `explain: true` with their "
                "instances to POST /v1/predictions.",
                {"retry_after_seconds": seconds},
            )


def _row_of(stored: StoredRows, instance: int, manifest: Manifest) -> bytes:
    width = row_bytes(manifest.feature_schema)
    return stored.inputs[instance * width : (instance + 1) * width]


def _no_such_instance(instances: int) -> Refusal:
    what = "one instance: 0" if instances == 1 else f"{instances} instances: 0 to {instances - 1}"
    return refuse_input([Fault("query/instance", f"the prediction has {what}")])


def _differs() -> Refusal:
    return Refusal(
        Code.PREDICTION_FAILED,
        "The model does not answer this instance now as it was answered, or cannot say why; it "
        "was logged with this request_id. The stored answer and its charge stand.",
    )
