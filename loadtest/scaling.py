"""What the samples of a run say: how the pools grew and shrank, and whether all was replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.dashboard import RUNNING, Sample

POOLS = ("LightGBMScorer", "FeatureValidator")
"""What has to grow and shrink."""
REPLACED = (*POOLS, "Billing")
"""What a redeploy of the scoring application has to replace."""


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
    seen = [sample for sample in samples if pool in sample.running]
    counts = [
        sample.running[pool]
        for sample in seen
        if redeploy is None
        or sample.at_seconds < redeploy.began_seconds
        or (finished is not None and sample.at_seconds > finished)
    ]
    if not counts:
        return Scaling(pool, 0, 0, 0)
    return Scaling(pool, counts[0], max(counts), seen[-1].running[pool])


def redeployed_seconds(samples: Sequence[Sample], redeploy: Redeploy) -> float | None:
    """When the last old replica was gone and the application ran again; None if never."""
    for sample in samples:
        if sample.at_seconds <= redeploy.began_seconds or not sample.replicas.keys() >= set(
            REPLACED
        ):
            continue
        there = frozenset[str]().union(*sample.replicas.values())
        if not redeploy.old & there and sample.statuses.get(redeploy.application) == RUNNING:
            return sample.at_seconds
    return None


def replicas_at(samples: Sequence[Sample], at_seconds: float) -> str:
    """How many of each pool took requests at that time, as far as was seen."""
    counts = []
    for pool in POOLS:
        before = [s for s in samples if s.at_seconds <= at_seconds and pool in s.running]
        counts.append(f"{pool} {before[-1].running[pool] if before else '?'}")
    return ", ".join(counts)
