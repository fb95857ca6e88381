"""What the samples of a run say: how the pools grew and shrank, and whether all was replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.dashboard import RUNNING, Sample

POOLS = ("LightGBMScorer", "FeatureValidator")


@dataclass(frozen=True, slots=True)
class Redeploy:
    """When it was asked for, and the replicas that it had to replace."""

    began_seconds: float
    application: str
    old: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scaling:
    """How one pool went."""

    pool: str
    first: int
    most: int
    last: int

    def misses(self) -> list[str]:
        """Where it did not grow under load, or did not shrink after it."""
        if self.most <= self.first:
            return [f"{self.pool} stayed at {self.most} replicas under load"]
        if self.last >= self.most:
            return [f"{self.pool} stayed at {self.last} replicas after the load"]
        return []

    def __str__(self) -> str:
        return f"{self.pool}: {self.first} -> {self.most} -> {self.last} replicas"


def scaling_of(pool: str, samples: Sequence[Sample], redeploy: Redeploy | None) -> Scaling:
    """The most is counted outside of the redeploy, which runs old and new replicas side by side."""
    finished = redeployed_seconds(samples, redeploy) if redeploy else None
    counts = [
        sample.running.get(pool, 0)
        for sample in samples
        if redeploy is None
        or sample.at_seconds < redeploy.began_seconds
        or (finished is not None and sample.at_seconds > finished)
    ]
    if not counts:
        return Scaling(pool, 0, 0, 0)
    return Scaling(pool, counts[0], max(counts), samples[-1].running.get(pool, 0))


def redeployed_seconds(samples: Sequence[Sample], redeploy: Redeploy) -> float | None:
    """When the last old replica was gone and the application ran again; None if never."""
    for sample in samples:
        if sample.at_seconds <= redeploy.began_seconds:
            continue
        there = frozenset[str]().union(*sample.replicas.values())
        if not redeploy.old & there and sample.statuses.get(redeploy.application) == RUNNING:
            return sample.at_seconds
    return None
