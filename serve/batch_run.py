"""What happens to one micro-batch: two hops, predict and charge, in this order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from billing.charges import Charge, Charged, Outcome
from serve.batcher import Job
from serve.explained_predictions import keep_explained
from serve.ports import Cashier, Probabilities, Scorer
from serve.predictions import Decision, keep_predictions
from serve.refusals import Code, Refusal
from serve.served_models import ServedModels
from serve.shadow import OfferShadow


class BatchObserver(Protocol):
    """Where the figures of a batch go."""

    def batch_predicted(self, jobs: int, rows: int, seconds: float) -> None: ...

    def batch_charged(self, microcredits: int, seconds: float) -> None: ...

    def version_answered(self, model: str, version: str, requests: int) -> None: ...


class BatchRun:
    """Predict a batch, charge what the model answered, then release the answers.

    A job whose rows the model failed on is refused alone; the jobs beside it are charged.
    """

    def __init__(
        self,
        scorer: Scorer,
        cashier: Cashier,
        models: ServedModels,
        observer: BatchObserver,
        offer_shadow: OfferShadow,
    ) -> None:
        self._scorer = scorer
        self._cashier = cashier
        self._models = models
        self._observer = observer
        self._offer_shadow = offer_shadow

    async def __call__(self, jobs: Sequence[Job]) -> None:
        predicted = await self._predict(jobs)
        if not predicted:
            return
        for job, outcome in zip(predicted, await self._charge(predicted), strict=True):
            job.finish(outcome)
        if self._models.shadows:
            self._offer_shadow(predicted)

    async def _predict(self, jobs: Sequence[Job]) -> list[Job]:
        """Write each job's predictions; returns the jobs that have them, fails the others."""
        started = time.monotonic()
        if jobs[0].explained_features:
            return await self._explain(jobs)
        model, version = jobs[0].model, jobs[0].version
        rows = sum(job.rows for job in jobs)
        probabilities = await self._scorer.predict(
            model, version, b"".join([job.packed_rows for job in jobs]), rows
        )
        decision = self._models.decision(model, version)
        predicted = _write_predictions(jobs, probabilities, decision)
        self._observer.batch_predicted(len(jobs), rows, time.monotonic() - started)
        return predicted

    async def _explain(self, jobs: Sequence[Job]) -> list[Job]:
        """As `_predict`, each prediction with what contributed to it."""
        started = time.monotonic()
        first, rows = jobs[0], sum(job.rows for job in jobs)
        packed_rows = b"".join([job.packed_rows for job in jobs])
        explained = await self._scorer.explain(
            first.model, first.version, packed_rows, rows, first.explained_features
        )
        manifest = self._models.catalog.look_up(first.model, first.version)
        failed = np.isnan(explained["probability"])
        predicted = []
        start = 0
        for job in jobs:
            of_job = np.s_[start : start + job.rows]
            start += job.rows
            if failed[of_job].any():
                job.fail(_model_failed(failed[of_job].nonzero()[0].tolist()))
            else:
                job.predictions = keep_explained(explained[of_job], job.packed_rows, manifest)
                predicted.append(job)
        self._observer.batch_predicted(len(jobs), rows, time.monotonic() - started)
        return predicted

    async def _charge(self, jobs: Sequence[Job]) -> list[Outcome]:
        started = time.monotonic()
        outcomes = await self._cashier.charge([_charge_of(job) for job in jobs])
        charged_microcredits = [
            job.amount.microcredits
            for job, outcome in zip(jobs, outcomes, strict=True)
            if isinstance(outcome, Charged)
        ]
        self._observer.batch_charged(sum(charged_microcredits), time.monotonic() - started)
        self._observer.version_answered(jobs[0].model, jobs[0].version, len(charged_microcredits))
        return outcomes


def _charge_of(job: Job) -> Charge:
    return Charge(
        job.charge_id,
        job.account_id,
        job.key_id,
        job.request_id,
        job.model,
        job.version,
        job.rows,
        job.amount,
        job.body_sha256,
        job.packed_rows,
        job.predictions,
    )


def _write_predictions(
    jobs: Sequence[Job], probabilities: Probabilities, decision: Decision
) -> list[Job]:
    failed = np.isnan(probabilities)
    any_failed = bool(failed.any())
    predicted = []
    start = 0
    for job in jobs:
        end = start + job.rows
        if any_failed and failed[start:end].any():
            job.fail(_model_failed(failed[start:end].nonzero()[0].tolist()))
        else:
            job.predictions = keep_predictions(probabilities[start:end], decision)
            predicted.append(job)
        start = end
    return predicted


def _model_failed(positions: list[int]) -> Refusal:
    return Refusal(
        Code.PREDICTION_FAILED,
        "The model could not score this input. Nothing was charged. "
        f"Instances it failed on: {', '.join(map(str, positions[:20]))}.",
    )
