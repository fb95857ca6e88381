"""Has challengers score what champions have answered, off the answer's way.

A batch is offered once its answers are out. One call at a time is under way, a few batches wait,
and beyond them batches are left out and counted: a slow challenger holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import structlog

from billing.reports.shadows import BUCKETS, DIFFERENCE_BOUNDS, Differences, ShadowPair
from serve.batcher import Job
from serve.ports import Probabilities, Scorer
from serve.predictions import predictions_packed
from serve.refusals import Refusal
from serve.served_models import ServedModels, Shadow

BATCHES_WAITING_MAX = 8
"""A batch has a few thousand rows at most."""

OfferShadow: TypeAlias = Callable[[Sequence[Job]], None]
OnCompared: TypeAlias = Callable[[ShadowPair, Differences], None]

_BOUNDS = np.array(DIFFERENCE_BOUNDS)

logger = structlog.get_logger(__name__)


class ShadowRuns:
    """Compares the challengers of one replica with its champions."""

    def __init__(self, scorer: Scorer, models: ServedModels, on_compared: OnCompared) -> None:
        self._scorer = scorer
        self._models = models
        self._on_compared = on_compared
        self._waiting: deque[tuple[Shadow, Sequence[Job]]] = deque()
        self._offered = asyncio.Event()

    def offer(self, jobs: Sequence[Job]) -> None:
        """Take an answered batch of one model version, where it has a shadow; never waits."""
        shadow = self._models.shadows.get((jobs[0].model, jobs[0].version))
        if shadow is None:
            return
        if len(self._waiting) >= BATCHES_WAITING_MAX:
            self._on_compared(shadow.pair, Differences(dropped=_count_rows(jobs)))
            return
        self._waiting.append((shadow, jobs))
        self._offered.set()

    async def keep_comparing(self) -> None:
        """Compare what is offered until cancelled."""
        while True:
            await self._offered.wait()
            self._offered.clear()
            while self._waiting:
                await self._compare(*self._waiting.popleft())

    async def _compare(self, shadow: Shadow, jobs: Sequence[Job]) -> None:
        rows = _count_rows(jobs)
        try:
            challenger = await self._scorer.shadow(
                shadow.pair.model,
                shadow.pair.challenger,
                b"".join([job.packed_rows for job in jobs]),
                rows,
            )
            found = compare(shadow, _answered(jobs), challenger)
        except Exception as error:  # noqa: BLE001 - of no account to whoever was answered
            if not isinstance(error, Refusal):
                logger.warning("shadow_failed", model=shadow.pair.model, reason=repr(error)[:200])
            found = Differences(failed=rows)
        self._on_compared(shadow.pair, found)


def compare(shadow: Shadow, champion: Probabilities, challenger: Probabilities) -> Differences:
    """How far two vectors of probabilities, float64 (rows,), are from each other.

    Rows that the challenger failed on, NaN, are counted and left out.
    """
    scored = ~np.isnan(challenger)
    champion, challenger = champion[scored], challenger[scored]
    differences = np.abs(champion - challenger)
    labels_differ = (champion >= shadow.champion_threshold) != (
        challenger >= shadow.challenger_threshold
    )
    buckets = np.searchsorted(_BOUNDS, differences, side="right")
    return Differences(
        instances=len(differences),
        disagreements=int(labels_differ.sum()),
        difference_sum=float(differences.sum()),
        difference_max=float(differences.max(initial=0.0)),
        histogram=tuple(np.bincount(buckets, minlength=BUCKETS).tolist()),
        failed=len(scored) - len(differences),
    )


def _count_rows(jobs: Sequence[Job]) -> int:
    return sum(job.rows for job in jobs)


def _answered(jobs: Sequence[Job]) -> Probabilities:
    """What the champion said of every row, exactly as it was answered."""
    return np.frombuffer(b"".join([predictions_packed(job.predictions) for job in jobs]))
